import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { listQuery } from "../api/conversations";
import { paletteSearchQuery } from "../api/search";
import { useCommands } from "./commands";
import { buildGroups, type Group } from "./items";

const DELAY = 150; // milliseconds without a key before the search is sent

/** Return the groups of the palette. Conversations that are loaded show at once; the search adds the others. */
export function usePaletteGroups(text: string): Group[] {
  const settled = useSettled(text.trim());
  const list = useInfiniteQuery(listQuery({}));
  const search = useQuery(paletteSearchQuery(settled));
  const commands = useCommands();
  const conversations = list.data?.pages.flatMap((page) => page.results) ?? [];
  return buildGroups({ text, conversations, commands, found: text.trim() ? search.data : undefined });
}

/** Return the text as it was before the keys of the last moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), DELAY);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
