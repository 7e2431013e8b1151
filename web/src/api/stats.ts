/** The numbers of messages and tokens of the user. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, type Schemas, unwrap } from "./client";

export type Stats = Schemas["Stats"];

/** Read the statistics, in the time zone of the browser. While other days are read, the old numbers stay visible. */
export function statsQuery(days: number) {
  const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return queryOptions({
    queryKey: ["stats", days],
    queryFn: () => unwrap(api.GET("/api/v1/stats/", { params: { query: { days, tz } } })),
    placeholderData: keepPreviousData,
  });
}
