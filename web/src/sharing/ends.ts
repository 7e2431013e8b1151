import { language, t } from "../i18n";

/** Format a day and its time for people, with the year. */
export function formatEnd(iso: string): string {
  return new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** Say when a link expires. */
export function endOf(expiresAt: string | null | undefined): string {
  return expiresAt ? t("expires on {{time}}", { time: formatEnd(expiresAt) }) : t("never expires");
}
