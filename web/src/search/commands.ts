/** The commands of the palette. */

import { useChangePreferences } from "../api/account";
import { LANGUAGES, t } from "../i18n";
import { THEMES, type Theme } from "../shell/theme";
import { setHelpOpen } from "./helpState";
import type { Item } from "./items";

/** `words` are further words that find the command. */
export type Command = Item & { words: string };

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
  return [
    { id: "new", icon: "plus", label: t("New conversation"), words: "chat", href: "/app/" },
    { id: "archive", icon: "archive", label: t("Open the archive"), words: "archived", href: "/app/archive" },
    { id: "trash", icon: "trash", label: t("Open the trash"), words: "deleted restore", href: "/app/trash" },
    section("general", t("General"), "preferences theme language"),
    section("account", t("Account"), "name e-mail password sessions two-factor"),
    section("tokens", t("API tokens"), "keys"),
    section("shares", t("Shared links"), "sharing revoke"),
    section("usage", t("Usage"), "statistics numbers"),
    section("data", t("Data"), "export download erase delete"),
  ];
}

/** Return the command that opens a section of the settings. */
function section(name: string, title: string, words: string): Command {
  const label = t("Settings: {{section}}", { section: title });
  return { id: `settings-${name}`, icon: "settings", label, words, href: `/app/settings/${name}` };
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
      run: signOut,
    },
  ];
}

/** End the session with the form of the sign-out page. The server then shows the welcome page. */
function signOut(): void {
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/accounts/logout/";
  document.body.append(form);
  form.submit();
}

function themeLabel(theme: Theme): string {
  const labels = { system: t("Theme: as the system"), light: t("Theme: light"), dark: t("Theme: dark") };
  return labels[theme];
}
