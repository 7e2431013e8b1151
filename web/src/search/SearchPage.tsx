import { useInfiniteQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { type Sort, searchQuery } from "../api/search";
import { t } from "../i18n";
import { useDocumentTitle } from "../ui/documentTitle";
import { SearchField } from "./SearchField";
import { SearchHelp } from "./SearchHelp";
import { SearchResults } from "./SearchResults";
import { useKeptScroll } from "./useKeptScroll";
import { useSearchAddress } from "./useSearchAddress";
import "./search.css";

/** Search in the titles and messages of the user, on all branches. */
export function SearchPage() {
  const { q, sort, text, setText, submit, setSort } = useSearchAddress();
  const search = useInfiniteQuery(searchQuery(q, sort));
  const results = useRef<HTMLDivElement>(null);
  useKeptScroll(`${q}\n${sort}`);
  useDocumentTitle(q || t("Search"));
  return (
    <div className="page search-page">
      <search className="search-head">
        <h1>{t("Search")}</h1>
        <SearchField
          text={text}
          onChange={setText}
          onSubmit={() => submit()}
          onLeaveDown={() => results.current?.querySelector("a")?.focus()}
        />
        {q && <SortChoice sort={sort} onChange={setSort} />}
      </search>
      <div ref={results}>{q ? <SearchResults q={q} search={search} /> : <SearchHelp onTry={submit} />}</div>
    </div>
  );
}

function SortChoice({ sort, onChange }: { sort: Sort; onChange: (sort: Sort) => void }) {
  const choices: [Sort, string][] = [
    ["recent", t("Newest first")],
    ["relevance", t("Best match first")],
  ];
  return (
    <fieldset className="sort-choice">
      <legend className="visually-hidden">{t("Order of the messages")}</legend>
      {choices.map(([value, label]) => (
        <label key={value}>
          <input type="radio" name="sort" checked={sort === value} onChange={() => onChange(value)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
