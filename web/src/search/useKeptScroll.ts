import { useRouterState } from "@tanstack/react-router";
import { useLayoutEffect, useRef } from "react";

/** The position of the page for each entry of the browser's history, by the key that the router gives an entry. */
const positions = new Map<string, number>();

/** Keep the scroll position of this page, and restore it when the user comes back. Another query begins at the top. */
export function useKeptScroll(query: string): void {
  const key = useRouterState({ select: ({ location }) => location.state.__TSR_key ?? "" });
  const shown = useRef<string | null>(null);
  useLayoutEffect(() => {
    if (shown.current === query) return;
    const position = shown.current === null ? positions.get(key) : 0;
    shown.current = query;
    document.getElementById("main")?.scrollTo(0, position ?? 0);
  }, [query, key]);
  useLayoutEffect(() => {
    const main = document.getElementById("main");
    const save = () => positions.set(key, main?.scrollTop ?? 0);
    main?.addEventListener("scroll", save, { passive: true });
    return () => main?.removeEventListener("scroll", save);
  }, [key]);
}
