/** The tags and notebooks of the user's conversations, with the number of conversations of each. */

import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "./client";
import { queryClient } from "./queryClient";

export type Label = { name: string; count: number };
export type Labels = { tags: Label[]; notebooks: Label[] };

export const labelsQuery = queryOptions({
  queryKey: ["labels"],
  queryFn: () => unwrap<Labels>(api.GET("/api/v1/labels/" as never)),
});

/** Read the labels again. Call this after a change of tags, or of which conversations there are. */
export function refreshLabels(): void {
  void queryClient.invalidateQueries({ queryKey: labelsQuery.queryKey });
}
