import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { Sort } from "../api/search";

const DELAY = 250; // milliseconds without a key before the address follows

/** The query of the search page. The address has what is searched for; the text in the field is ahead of it. */
export function useSearchAddress() {
  const { q = "", sort = "recent" } = useSearch({ from: "/app/search" });
  const navigate = useNavigate();
  const [text, setText] = useState(q);
  const written = useRef(q);

  const write = (next: string, nextSort = sort) => {
    written.current = next.trim();
    const search = { ...(next.trim() && { q: next.trim() }), ...(nextSort !== "recent" && { sort: nextSort }) };
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
    if (text.trim() === written.current) return;
    const timer = setTimeout(() => write(text), DELAY);
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
    setSort: (next: Sort) => write(text, next),
  };
}
