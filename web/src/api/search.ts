/** Search in titles and messages. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, cursorOf, type Schemas, unwrap } from "./client";

export type Hit = Schemas["Hit"];
export type TitleHit = Schemas["TitleHit"];
export type SearchPage = Schemas["SearchPage"];
export type Sort = "recent" | "relevance";

const MINUTE = 60_000;
/** The palette shows only a few messages; the search page has them all. */
const PALETTE_LIMIT = 6;

/** The pages of hits. The results of the last query stay until the first page of this one is there. */
export function searchQuery(q: string, sort: Sort) {
  return infiniteQueryOptions({
    queryKey: ["search", q, sort],
    queryFn: ({ pageParam: cursor, signal }) =>
      unwrap(api.GET("/api/v1/search/", { params: { query: { q, sort, ...(cursor && { cursor }) } }, signal })),
    initialPageParam: "",
    getNextPageParam: (page) => cursorOf(page.next),
    enabled: q !== "",
    // The browser's Back finds the same pages, so the position on the page can be restored.
    staleTime: MINUTE,
    gcTime: 15 * MINUTE,
    placeholderData: keepPreviousData,
  });
}

/** The best matches of what is typed in the palette. */
export function paletteSearchQuery(q: string) {
  return queryOptions({
    queryKey: ["search", q, "palette"],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/search/", { params: { query: { q, limit: PALETTE_LIMIT } }, signal })),
    enabled: q !== "",
    staleTime: MINUTE,
    placeholderData: keepPreviousData,
  });
}
