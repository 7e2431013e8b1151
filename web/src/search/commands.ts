/** The commands of the palette. */

import { useChangePreferences } from "../api/account";
import { t } from "../i18n";
import { THEMES, type Theme } from "../shell/theme";
import { setHelpOpen } from "./helpState";
import type { Item } from "./items";

/** `words` are further words by which a command is found. */
export type Command = Item & { words: string };

const LANGUAGES = { en: "English", de: "Deutsch" };

export function useCommands(): Command[] {
  const { mutate, mutateAsync } = useChangePreferences();
  const themes = THEMES.map((theme): Command => {
    return {
      id: `theme-${theme}`,
      icon: "sun",
      label: themeLabel(theme),
      words: "theme",
      run: () => mutate({ theme }),
    };
  });
  const languages = Object.entries(LANGUAGES).map(([code, name]): Command => {
    const run = () => void mutateAsync({ language: code }).then(() => window.location.reload());
    return { id: `language-${code}`, icon: "globe", label: t("Language: {{name}}", { name }), words: "language", run };
  });
  return [...pageCommands(), ...themes, ...languages, ...endCommands()];
}

function pageCommands(): Command[] {
  const settings = "settings preferences";
  return [
    { id: "new", icon: "plus", label: t("New conversation"), words: "chat", href: "/app/" },
    { id: "archive", icon: "archive", label: t("Archive"), words: "archived", href: "/app/archive" },
    { id: "trash", icon: "trash", label: t("Trash"), words: "deleted restore", href: "/app/trash" },
    { id: "settings", icon: "settings", label: t("Settings"), words: settings, href: "/app/settings/general" },
  ];
}

function endCommands(): Command[] {
  return [
    {
      id: "keys",
      icon: "keyboard",
      label: t("Keyboard shortcuts"),
      words: "help keys ?",
      run: () => setHelpOpen(true),
    },
    {
      id: "sign-out",
      icon: "user",
      label: t("Sign out"),
      words: "log out logout",
      run: () => window.location.assign("/accounts/logout/"),
    },
  ];
}

function themeLabel(theme: Theme): string {
  const labels = { system: t("Theme: as the system"), light: t("Theme: light"), dark: t("Theme: dark") };
  return labels[theme];
}
