/** The texts of the interface. The keys are the English texts; de.json has the German ones. */

import i18next, { type TOptions } from "i18next";

/** The languages of the interface, each with its own name. */
export const LANGUAGES = { en: "English", de: "Deutsch" };

/** Load the texts for the language of the page, which the server has chosen. */
export async function loadCatalogue(): Promise<void> {
  const lng = document.documentElement.lang;
  const resources = lng === "de" ? { de: { translation: (await import("./de.json")).default } } : {};
  await i18next.init({
    lng,
    resources,
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
  });
}

/** Translate a text. `{{name}}` in it is replaced by an option; `count` chooses the singular or plural. */
export function t(text: string, options: TOptions = {}): string {
  return i18next.t(text, { defaultValue: text, ...options });
}

export function language(): string {
  return i18next.language;
}

/** Format a time for people: with the hour today, with the day and month in this year, otherwise with the year. */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  const now = new Date();
  const style: Intl.DateTimeFormatOptions =
    time.toDateString() === now.toDateString()
      ? { hour: "numeric", minute: "2-digit" }
      : { day: "numeric", month: "short", ...(time.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) };
  return new Intl.DateTimeFormat(language(), style).format(time);
}

/** Format a time with its date and its seconds. */
export function formatExactTime(iso: string): string {
  return new Intl.DateTimeFormat(language(), { dateStyle: "full", timeStyle: "medium" }).format(new Date(iso));
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(language()).format(value);
}
