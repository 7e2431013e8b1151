import { useEffect, useRef } from "react";
import { t } from "../i18n";
import { explainSearch } from "./explainSearch";
import type { Search } from "./SearchResults";

/**
 * The button for the next page.
 *
 * The next page is loaded without a click when the button comes into view, unless the last page has `searched_since`.
 * Then the server reads messages without an index, so each page takes long and can be empty.
 */
export function MoreResults({ search }: { search: Search }) {
  const button = useRef<HTMLButtonElement>(null);
  const isPartial = Boolean(search.data?.pages.at(-1)?.searched_since);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, isPlaceholderData, fetchNextPage } = search;
  const canLoadItself = hasNextPage && !isPartial && !isFetchNextPageError && !isFetchingNextPage && !isPlaceholderData;

  useEffect(() => {
    if (!canLoadItself || !button.current) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && void fetchNextPage());
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [canLoadItself, fetchNextPage]);

  if (!hasNextPage) return null;
  return (
    <div className="more-results">
      {isFetchNextPageError && (
        <p role="alert" className="error-text">
          {explainSearch(search.error)}
        </p>
      )}
      <button
        ref={button}
        type="button"
        className="button secondary"
        aria-disabled={isFetchingNextPage}
        onClick={() => !isFetchingNextPage && void fetchNextPage()}
      >
        {isFetchingNextPage ? t("Searching…") : isPartial ? t("Search older messages") : t("Show more")}
      </button>
    </div>
  );
}
