import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type Conversation, listQuery } from "../api/conversations";
import { paletteSearchQuery } from "../api/search";
import { useCommands } from "./commands";
import { buildGroups, type Group } from "./items";

const DELAY = 150; // milliseconds without a key before the search is sent

/** Return the groups of the palette. Conversations that are loaded show at once; the search adds the others. */
export function usePaletteGroups(text: string): Group[] {
  const debounced = useDebounced(text.trim());
  // The sidebar has loaded these lists, so they come from the cache.
  const pinned = useInfiniteQuery(listQuery({ pinned: "true" }));
  const others = useInfiniteQuery(listQuery({ pinned: "false" }));
  const search = useQuery(paletteSearchQuery(debounced));
  const commands = useCommands();
  const pages = [...(pinned.data?.pages ?? []), ...(others.data?.pages ?? [])];
  const conversations = newestFirst(pages.flatMap((page) => page.results));
  return buildGroups({ text, conversations, commands, found: text.trim() ? search.data : undefined });
}

function newestFirst(conversations: Conversation[]): Conversation[] {
  const unique = new Map(conversations.map((conversation) => [conversation.id, conversation]));
  return [...unique.values()].sort((a, b) => b.active_at.localeCompare(a.active_at));
}

/** Return the text as it was when it last stayed the same for DELAY. */
function useDebounced(text: string): string {
  const [debounced, setDebounced] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setDebounced(text), DELAY);
    return () => clearTimeout(timer);
  }, [text]);
  return debounced;
}
