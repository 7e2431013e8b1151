import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { t } from "../i18n";
import { explain } from "../ui/explain";

const SKELETONS = [70, 55, 80, 45, 65, 60];
const AHEAD = "800px"; // the next page is loaded before the end is visible

/** The end of an infinite list. It loads the next page before it is visible, and shows grey bars meanwhile. */
export function EndOfList({ query }: { query: UseInfiniteQueryResult }) {
  const end = useRef<HTMLDivElement>(null);
  const { isFetchNextPageError, isFetchingNextPage, hasNextPage, fetchNextPage } = query;
  const canLoad = hasNextPage && !isFetchingNextPage && !isFetchNextPageError;
  // A new observer reports at once whether the end is near. An old one would not, if the end left and came back between
  // two frames.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new page needs a new observer
  useEffect(() => {
    if (!canLoad || !end.current) return;
    // A slow browser reports several frames at once. The last one counts.
    const load = (frames: IntersectionObserverEntry[]) => frames.at(-1)?.isIntersecting && void fetchNextPage();
    const observer = new IntersectionObserver(load, { root: end.current.closest("[data-scroll]"), rootMargin: AHEAD });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [canLoad, fetchNextPage, query.data]);
  if (query.isError && (!query.data || isFetchNextPageError)) return <Failure query={query} />;
  return (
    <div ref={end} className="end-of-list" aria-hidden="true">
      {(query.isPending || hasNextPage) &&
        SKELETONS.slice(0, query.isPending ? undefined : 2).map((width) => (
          <span key={width} className="skeleton" style={{ inlineSize: `${width}%` }} />
        ))}
    </div>
  );
}

function Failure({ query }: { query: UseInfiniteQueryResult }) {
  const again = () => void (query.data ? query.fetchNextPage() : query.refetch());
  return (
    <p className="list-note" role="alert">
      {explain(query.error)}{" "}
      <button type="button" className="link" onClick={again}>
        {t("Try again")}
      </button>
    </p>
  );
}
