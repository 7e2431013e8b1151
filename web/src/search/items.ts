/** The entries of the palette, in groups. */

import type { Conversation } from "../api/conversations";
import type { SearchPage } from "../api/search";
import { speakerOf } from "../chat/speakers";
import { formatTime, t } from "../i18n";
import type { IconName } from "../ui/Icon";
import type { Command } from "./commands";

/** The effect of Enter: it opens an address, or runs a command. */
export type Action = { href: string } | { run: () => void };
/** `snippet` is HTML of the API, in place of the label. The detail of a tall item is below its label. */
export type Item = {
  id: string;
  icon: IconName;
  label: string;
  snippet?: string;
  detail?: string;
  isTall?: boolean;
} & Action;
export type Group = { title: string; items: Item[] };

type Sources = { text: string; conversations: Conversation[]; commands: Command[]; found: SearchPage | undefined };

const MOST_CONVERSATIONS = 7;
const MOST_COMMANDS = 5;

/** Return the groups for what is typed. Without a text, these are the newest conversations and all commands. */
export function buildGroups({ text, conversations, commands, found }: Sources): Group[] {
  const typed = text.trim();
  const groups = typed
    ? [
        { title: t("Conversations"), items: conversationItems(typed, conversations, found) },
        { title: t("Commands"), items: findCommands(typed, commands).slice(0, MOST_COMMANDS) },
        { title: t("Messages"), items: messageItems(found) },
        { title: t("Search"), items: [searchItem(typed)] },
      ]
    : [
        { title: t("Recent conversations"), items: conversations.slice(0, MOST_CONVERSATIONS).map(conversationItem) },
        { title: t("Commands"), items: commands },
      ];
  return groups.filter((group) => group.items.length > 0);
}

/** Return the address of the search page with a query. */
export function searchAddress(q: string): string {
  return `/app/search?${new URLSearchParams({ q })}`;
}

/** Return whether each typed word is in the text. */
export function hasWords(text: string, typed: string): boolean {
  const lower = text.toLocaleLowerCase();
  return typed
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}

function conversationItem({ id, title, active_at }: Conversation): Item {
  return { id, icon: "chat", label: title || t("Untitled"), detail: formatTime(active_at), href: `/app/c/${id}` };
}

/** Return the conversations whose title matches: first those that are loaded, then those that the search has found. */
function conversationItems(typed: string, conversations: Conversation[], found: SearchPage | undefined): Item[] {
  const loaded = conversations.filter(({ title }) => hasWords(title ?? "", typed)).map(conversationItem);
  const ids = new Set(loaded.map(({ id }) => id));
  const more = (found?.conversations ?? []).filter((title) => !ids.has(title.conversation_id));
  const items = more.map(({ conversation_id: id, title, snippet, active_at }): Item => {
    return { id, icon: "chat", label: title, snippet, detail: formatTime(active_at), href: `/app/c/${id}` };
  });
  return [...loaded, ...items].slice(0, MOST_CONVERSATIONS);
}

function messageItems(found: SearchPage | undefined): Item[] {
  return (found?.results ?? []).map((hit) => ({
    id: hit.message_id,
    icon: hit.is_active ? "message" : "branch",
    label: "",
    snippet: hit.snippet,
    isTall: true,
    detail: [hit.conversation_title || t("Untitled"), speakerOf(hit), formatTime(hit.created_at)].join(" · "),
    href: `/app/c/${hit.conversation_id}?${new URLSearchParams({ message: hit.message_id })}`,
  }));
}

function findCommands(typed: string, commands: Command[]): Command[] {
  return commands.filter(({ label, words }) => hasWords(`${label} ${words}`, typed));
}

function searchItem(typed: string): Item {
  return {
    id: "search",
    icon: "search",
    label: t("Search everything for “{{text}}”", { text: typed }),
    href: searchAddress(typed),
  };
}
