import { focusManager, useInfiniteQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { type Filters, listQuery, rereadLists } from "../api/conversations";
import { conversationsOf } from "../api/lists";
import { t } from "../i18n";
import { setPaletteOpen } from "../search/paletteState";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { AccountLinks } from "./AccountLinks";
import { BulkBar } from "./BulkBar";
import { ConversationList } from "./ConversationList";
import { LabelFilter } from "./LabelFilter";
import { useSelection } from "./selection";
import { useCollapsed } from "./useCollapsed";
import "./sidebar.css";

export type LabelFilters = Pick<Filters, "tag" | "notebook">;

export function Sidebar() {
  const [labels, setLabels] = useState<LabelFilters>({});
  const [isCollapsed, setCollapsed] = useCollapsed();
  const { conversationId } = useParams({ strict: false });
  const pinned = useRows({ ...labels, pinned: "true" });
  const recent = useRows({ ...labels, pinned: "false" });
  const loaded = useMemo(() => [...pinned.rows, ...recent.rows], [pinned.rows, recent.rows]);
  const selection = useSelection(useMemo(() => loaded.map(({ id }) => id), [loaded]));
  const selectButton = useRef<HTMLButtonElement>(null);
  const endSelection = () => {
    selection.stop();
    selectButton.current?.focus();
  };
  useRefreshOnFocus();
  return (
    <nav className="sidebar" aria-label={t("Conversations")} data-collapsed={isCollapsed || undefined}>
      <div className="sidebar-head">
        <div className="sidebar-line">
          <Link
            to="/app"
            className="sidebar-action"
            activeOptions={{ exact: true }}
            aria-label={t("New conversation")}
            title={t("New conversation")}
          >
            <Icon name="plus" /> <span>{t("New conversation")}</span>
          </Link>
          <IconButton
            className="sidebar-collapse"
            icon="sidebar"
            label={isCollapsed ? t("Show the sidebar") : t("Hide the sidebar")}
            onClick={() => setCollapsed(!isCollapsed)}
          />
        </div>
        <div className="sidebar-line">
          <SearchButton />
          <IconButton
            ref={selectButton}
            className="sidebar-select"
            icon="checklist"
            label={t("Select conversations")}
            aria-pressed={selection.isActive}
            onClick={selection.isActive ? selection.stop : selection.start}
          />
        </div>
      </div>
      <LabelFilter labels={labels} onChange={setLabels} loaded={loaded} />
      <ConversationList
        pinned={pinned}
        recent={recent}
        isFiltered={Boolean(labels.tag || labels.notebook)}
        currentId={conversationId}
        selection={selection}
      />
      {selection.isActive ? <BulkBar selection={selection} loaded={loaded} onEnd={endSelection} /> : <AccountLinks />}
    </nav>
  );
}

function SearchButton() {
  return (
    <button
      type="button"
      className="sidebar-action"
      aria-label={t("Search")}
      title={t("Search")}
      onClick={() => setPaletteOpen(true)}
    >
      <Icon name="search" /> <span>{t("Search")}</span> <kbd>{t("Ctrl K")}</kbd>
    </button>
  );
}

function useRows(filters: Filters) {
  const query = useInfiniteQuery(listQuery(filters));
  const rows = useMemo(() => conversationsOf(query.data), [query.data]);
  return { query, rows };
}

/** Read the lists again when the user comes back to the tab, because another tab or device may have changed them. */
function useRefreshOnFocus(): void {
  useEffect(() => focusManager.subscribe((isFocused) => void (isFocused && rereadLists())), []);
}
