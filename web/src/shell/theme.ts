import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { preferencesQuery } from "../api/account";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** Apply the theme of the preferences. The server has applied it to the page already; this follows later changes. */
export function useDocumentTheme(): void {
  const { data } = useQuery(preferencesQuery);
  const theme = data?.created_at ? data.theme : "system"; // nothing is stored before the first change
  useEffect(() => {
    if (data) document.documentElement.dataset.theme = THEMES.includes(theme as Theme) ? theme : "system";
  }, [data, theme]);
}
