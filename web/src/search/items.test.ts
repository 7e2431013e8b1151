import i18next from "i18next";
import { beforeAll, describe, expect, it } from "vitest";
import type { Conversation } from "../api/conversations";
import type { Hit, SearchPage } from "../api/search";
import type { Command } from "./commands";
import { buildGroups, hasWords, searchAddress } from "./items";

const NOW = "2026-11-01T00:00:00Z";
const conversation = (id: string, title: string) => ({ id, title, active_at: NOW }) as Conversation;
const command = (id: string, label: string, words = ""): Command => ({ id, icon: "plus", label, words, run: () => {} });
const hit = (message_id: string, is_active = true): Hit => ({
  message_id,
  conversation_id: "c9",
  conversation_title: "Lisbon",
  seq: 1,
  role: "user",
  model: "",
  is_active,
  created_at: NOW,
  snippet: "<mark>stay</mark>",
});
const found = (titles: [string, string][], results: Hit[] = []): SearchPage => ({
  conversations: titles.map(([id, title]) => ({ conversation_id: id, title, snippet: title, active_at: NOW })),
  results,
  next: null,
  searched_since: null,
});

const CONVERSATIONS = Array.from({ length: 9 }, (_, index) => conversation(`c${index}`, `Trip ${index} to Lisbon`));
const COMMANDS = [command("new", "New conversation", "chat"), command("dark", "Theme: dark", "theme")];
const groupsFor = (text: string, page?: SearchPage) =>
  buildGroups({ text, conversations: CONVERSATIONS, commands: COMMANDS, found: page }).map(({ title, items }) => ({
    title,
    ids: items.map(({ id }) => id),
  }));

beforeAll(() => i18next.init({ lng: "en", resources: {}, keySeparator: false, nsSeparator: false }));

describe("the palette", () => {
  it("shows the newest conversations and all commands before a text is typed", () => {
    expect(groupsFor(" ")).toEqual([
      { title: "Recent conversations", ids: ["c0", "c1", "c2", "c3", "c4", "c5", "c6"] },
      { title: "Commands", ids: ["new", "dark"] },
    ]);
  });

  it("groups what matches, and ends with the search page", () => {
    expect(groupsFor("theme", found([["x", "A theme"]], [hit("m1")]))).toEqual([
      { title: "Conversations", ids: ["x"] },
      { title: "Commands", ids: ["dark"] },
      { title: "Messages", ids: ["m1"] },
      { title: "Search", ids: ["search"] },
    ]);
  });

  it("shows a conversation once, if it is loaded and found", () => {
    const page = found([
      ["c3", "Trip 3 to Lisbon"],
      ["x", "Another trip 3"],
    ]);
    expect(groupsFor("3 TRIP", page)[0]).toEqual({ title: "Conversations", ids: ["c3", "x"] });
  });

  it("finds commands by words that their labels do not have", () => {
    expect(groupsFor("chat")).toEqual([
      { title: "Commands", ids: ["new"] },
      { title: "Search", ids: ["search"] },
    ]);
  });

  it("opens a message in its conversation", () => {
    const groups = buildGroups({ text: "stay", conversations: [], commands: [], found: found([], [hit("m1", false)]) });
    expect(groups[0]?.items[0]).toMatchObject({ href: "/app/c/c9?message=m1", icon: "branch" });
  });
});

it("the address of the search page keeps every sign", () => {
  const address = new URL(searchAddress('a&b=c #"d" %'), "http://localhost");
  expect(address.searchParams.get("q")).toBe('a&b=c #"d" %');
});

it("words match in any order and in any case", () => {
  expect(hasWords("Trip to Lisbon", "lis TRIP")).toBe(true);
  expect(hasWords("Trip to Lisbon", "trip porto")).toBe(false);
});
