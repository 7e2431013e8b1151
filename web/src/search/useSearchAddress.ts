import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { Sort } from "../api/search";
import { withoutUnfinished } from "./operators";

const DELAY = 250; // milliseconds without a key before the address follows

/** The query of the search page. The app searches for the query in the address. The field is copied there after DELAY. */
export function useSearchAddress() {
  const { q = "", sort = "recent" } = useSearch({ from: "/app/search" });
  const navigate = useNavigate();
  const [text, setText] = useState(q);
  const written = useRef(q);

  const write = (next: string, nextSort = sort) => {
    const query = next.trim();
    written.current = query;
    const search = { ...(query && { q: query }), ...(nextSort !== "recent" && { sort: nextSort }) };
    void navigate({ to: "/app/search", search, replace: true });
  };

  // The address can change without the field: by a link, or by Back and Forward.
  useEffect(() => {
    if (q === written.current) return;
    written.current = q;
    setText(q);
  }, [q]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only typing starts the delay
  useEffect(() => {
    const query = withoutUnfinished(text);
    if (query === written.current) return;
    const timer = setTimeout(() => write(query), DELAY);
    return () => clearTimeout(timer);
  }, [text]);

  return {
    q,
    sort: (sort === "relevance" ? "relevance" : "recent") as Sort,
    text,
    setText,
    /** Search at once, without the delay. */
    submit: (next = text) => {
      setText(next);
      write(next);
    },
    setSort: (next: Sort) => write(withoutUnfinished(text), next),
  };
}
