import { language, t } from "../i18n";

const DAY = 24 * 60 * 60 * 1000;

/** Name a day for people: today, yesterday, or its date, with the year if it is another one. */
export function formatDay(iso: string, now: Date): string {
  const day = new Date(iso);
  if (day.toDateString() === now.toDateString()) return t("Today");
  if (day.toDateString() === new Date(now.getTime() - DAY).toDateString()) return t("Yesterday");
  const year = day.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat(language(), { weekday: "long", day: "numeric", month: "long", ...year }).format(day);
}
