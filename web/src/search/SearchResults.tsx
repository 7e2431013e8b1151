import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { KeyboardEvent } from "react";
import type { SearchPage } from "../api/search";
import { formatTime, t } from "../i18n";
import { explainSearch } from "./explainSearch";
import { MessageHit, TitleHitLink } from "./Hits";
import { MoreResults } from "./MoreResults";

export type Search = UseInfiniteQueryResult<InfiniteData<SearchPage>>;

/** The results of a search: titles first, then messages. */
export function SearchResults({ q, search }: { q: string; search: Search }) {
  if (search.isError && !search.data) return <SearchError search={search} />;
  if (!search.data) return <ResultSkeleton />;
  const { pages } = search.data;
  const titles = pages[0]?.conversations ?? [];
  const hits = pages.flatMap((page) => page.results);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the links inside
    <div className="results" aria-busy={search.isPlaceholderData} onKeyDown={moveAmongLinks}>
      <p role="status" className="soft">
        {status(q, titles.length, hits.length, search)}
      </p>
      {titles.length > 0 && (
        <section>
          <h2>{t("Conversations")}</h2>
          <ul>
            {titles.map((title) => (
              <TitleHitLink key={title.conversation_id} title={title} />
            ))}
          </ul>
        </section>
      )}
      {hits.length > 0 && (
        <section>
          <h2>{t("Messages")}</h2>
          <ul>
            {hits.map((hit) => (
              <MessageHit key={hit.message_id} hit={hit} />
            ))}
          </ul>
        </section>
      )}
      {titles.length + hits.length === 0 && !search.hasNextPage && !search.isPlaceholderData && (
        <p className="no-results">{t("Check the spelling, or search for fewer words and without operators.")}</p>
      )}
      <MoreResults search={search} />
    </div>
  );
}

function status(q: string, titles: number, hits: number, search: Search): string {
  if (search.isPlaceholderData) return t("Searching…");
  const since = search.data?.pages.at(-1)?.searched_since;
  if (since && search.hasNextPage) return t("Searched back to {{time}}", { time: formatTime(since) });
  if (titles + hits === 0) return t("Nothing matches {{query}}", { query: q });
  return search.hasNextPage
    ? t("The first {{count}} messages", { count: hits, defaultValue_one: "The first message" })
    : t("{{count}} messages", { count: hits, defaultValue_one: "{{count}} message" });
}

/** Let the up and down arrows move between the links. The first one leads back to the field. */
function moveAmongLinks(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !(event.target instanceof HTMLAnchorElement)) return;
  const links = [...event.currentTarget.querySelectorAll("a")];
  const next = links.indexOf(event.target) + step;
  event.preventDefault();
  if (next < 0) document.querySelector<HTMLElement>(".search-field input")?.focus();
  else links[next]?.focus();
}

function SearchError({ search }: { search: Search }) {
  return (
    <div className="search-error" role="alert">
      <p>{explainSearch(search.error)}</p>
      <button type="button" className="button secondary" onClick={() => void search.refetch()}>
        {t("Try again")}
      </button>
    </div>
  );
}

/** Bars in the shape of the results. */
function ResultSkeleton() {
  return (
    <div className="results" aria-busy="true">
      <p role="status" className="soft">
        {t("Searching…")}
      </p>
      <div className="result-skeleton" aria-hidden="true">
        {Array.from({ length: 6 }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all alike
          <div key={index}>
            <span className="skeleton" />
            <span className="skeleton" />
            <span className="skeleton" />
          </div>
        ))}
      </div>
    </div>
  );
}
