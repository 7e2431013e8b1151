import { t } from "../i18n";

/** Return the name of the key that opens the palette together with K. */
export function controlKey(): string {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : t("Ctrl");
}
