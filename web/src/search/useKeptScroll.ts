import { useRouterState } from "@tanstack/react-router";
import { useLayoutEffect } from "react";

/** The position of the page for each entry of the browser's history, by the key that the router gives an entry. */
const positions = new Map<string, number>();

/** Keep the scroll position of this page, and restore it when the user comes back to it. */
export function useKeptScroll(): void {
  const key = useRouterState({ select: ({ location }) => location.state.__TSR_key ?? "" });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a later key belongs to an address that is only rewritten
  useLayoutEffect(() => document.getElementById("main")?.scrollTo(0, positions.get(key) ?? 0), []);
  useLayoutEffect(() => {
    const main = document.getElementById("main");
    const save = () => positions.set(key, main?.scrollTop ?? 0);
    main?.addEventListener("scroll", save, { passive: true });
    return () => main?.removeEventListener("scroll", save);
  }, [key]);
}
