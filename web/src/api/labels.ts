/** The tags and notebooks of the user's conversations, with the number of conversations of each. */

import { queryOptions } from "@tanstack/react-query";
import { api, type Schemas, unwrap } from "./client";
import { queryClient } from "./queryClient";

export type Label = Schemas["Label"];

export const labelsQuery = queryOptions({ queryKey: ["labels"], queryFn: () => unwrap(api.GET("/api/v1/labels/")) });

/** Read the labels again. Call this after a change of tags, and after conversations were added or removed. */
export function refreshLabels(): void {
  void queryClient.invalidateQueries({ queryKey: labelsQuery.queryKey });
}
