/** The sections of the sidebar: today, yesterday, the last seven days, then one section for each month. */

import type { Conversation } from "../api/conversations";
import { language, t } from "../i18n";

export type Section = { title: string; conversations: Conversation[] };

/** Group conversations, which are sorted by `active_at`, by the user's local days and months. */
export function groupByTime(conversations: Conversation[], now = new Date()): Section[] {
  const titleOf = sectionTitles(now);
  const sections: Section[] = [];
  for (const conversation of conversations) {
    const title = titleOf(new Date(conversation.active_at));
    const section = sections.at(-1);
    if (section?.title === title) section.conversations.push(conversation);
    else sections.push({ title, conversations: [conversation] });
  }
  return sections;
}

/** Return a function from a time to the title of its section. Formats are built once, not for each conversation. */
function sectionTitles(now: Date): (time: Date) => string {
  const [today, yesterday, week] = [0, 1, 7].map((daysAgo) => startOfDay(now, daysAgo)) as [Date, Date, Date];
  const month = new Intl.DateTimeFormat(language(), { month: "long" });
  const monthAndYear = new Intl.DateTimeFormat(language(), { month: "long", year: "numeric" });
  return (time) => {
    if (time >= today) return t("Today");
    if (time >= yesterday) return t("Yesterday");
    if (time >= week) return t("Last 7 days");
    return (time.getFullYear() === now.getFullYear() ? month : monthAndYear).format(time);
  };
}

function startOfDay(now: Date, daysAgo: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo);
}
