import { focusManager, useInfiniteQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { type Filters, listQuery, refreshLists } from "../api/conversations";
import { conversationsOf } from "../api/lists";
import { t } from "../i18n";
import { setPaletteOpen } from "../search/palette";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { AccountLinks } from "./AccountLinks";
import { BulkBar } from "./BulkBar";
import { ConversationList } from "./ConversationList";
import { LabelFilter } from "./LabelFilter";
import { useSelection } from "./selection";
import "./sidebar.css";

export type LabelFilters = Pick<Filters, "tag" | "notebook">;

export function Sidebar() {
  const [labels, setLabels] = useState<LabelFilters>({});
  const pinned = useInfiniteQuery(listQuery({ ...labels, pinned: "true" }));
  const recent = useInfiniteQuery(listQuery({ ...labels, pinned: "false" }));
  const pinnedRows = useMemo(() => conversationsOf(pinned.data), [pinned.data]);
  const recentRows = useMemo(() => conversationsOf(recent.data), [recent.data]);
  const rows = useMemo(() => [...pinnedRows, ...recentRows], [pinnedRows, recentRows]);
  const selection = useSelection(useMemo(() => rows.map(({ id }) => id), [rows]));
  const { conversationId } = useParams({ strict: false });
  useRefreshOnFocus();
  return (
    <nav className="sidebar" aria-label={t("Conversations")}>
      <SidebarHead onSelect={selection.isActive ? selection.stop : selection.start} isSelecting={selection.isActive} />
      <LabelFilter labels={labels} onChange={setLabels} loaded={rows} />
      <ConversationList
        pinned={{ query: pinned, rows: pinnedRows }}
        recent={{ query: recent, rows: recentRows }}
        isFiltered={Boolean(labels.tag || labels.notebook)}
        currentId={conversationId}
        selection={selection}
      />
      {selection.isActive ? <BulkBar selection={selection} loaded={rows} /> : <AccountLinks />}
    </nav>
  );
}

function SidebarHead({ isSelecting, onSelect }: { isSelecting: boolean; onSelect: () => void }) {
  return (
    <div className="sidebar-head">
      <Link to="/app" className="sidebar-action" activeProps={{}}>
        <Icon name="plus" /> {t("New conversation")}
      </Link>
      <button type="button" className="sidebar-action" onClick={() => setPaletteOpen(true)}>
        <Icon name="search" /> {t("Search")} <kbd>{t("Ctrl K")}</kbd>
      </button>
      <IconButton icon="check" label={t("Select")} aria-pressed={isSelecting} onClick={onSelect} />
    </div>
  );
}

/** Read the lists again when the user comes back to the tab, because another tab or device may have changed them. */
function useRefreshOnFocus(): void {
  useEffect(() => focusManager.subscribe((isFocused) => void (isFocused && refreshLists())), []);
}
