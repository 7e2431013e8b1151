/** The sections of the sidebar: today, yesterday, the last seven days, then one section for each month. */

import type { Conversation } from "../api/conversations";
import { language, t } from "../i18n";

export type Section = { title: string; conversations: Conversation[] };

/** Group conversations, which are sorted by `active_at`, by the user's local days and months. */
export function groupByTime(conversations: Conversation[], now = new Date()): Section[] {
  const sections: Section[] = [];
  for (const conversation of conversations) {
    const title = sectionTitle(new Date(conversation.active_at), now);
    const section = sections.at(-1);
    if (section?.title === title) section.conversations.push(conversation);
    else sections.push({ title, conversations: [conversation] });
  }
  return sections;
}

function sectionTitle(time: Date, now: Date): string {
  if (time >= startOfDay(now, 0)) return t("Today");
  if (time >= startOfDay(now, 1)) return t("Yesterday");
  if (time >= startOfDay(now, 7)) return t("Last 7 days");
  const year = time.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat(language(), { month: "long", ...year }).format(time);
}

function startOfDay(now: Date, daysAgo: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo);
}
