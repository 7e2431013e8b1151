import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from "react";
import type { Conversation } from "../api/conversations";
import { t } from "../i18n";
import { ConversationRow, type RowEvents } from "./ConversationRow";
import { setDragged } from "./dragged";
import { EndOfList } from "./EndOfList";
import { focusAfterRow, focusRow, moveFocus, rowOf } from "./rows";
import { groupByTime, type Section } from "./sections";
import type { Selection } from "./selection";
import { useMoveToTrash } from "./useMoveToTrash";

type List = { query: UseInfiniteQueryResult; rows: Conversation[] };
type Props = {
  pinned: List;
  recent: List;
  isFiltered: boolean;
  currentId: string | undefined;
  selection: Selection;
};

export function ConversationList({ pinned, recent, isFiltered, currentId, selection }: Props) {
  const [renamingId, setRenamingId] = useState<string | null>(null);
  const events = useRowEvents([...pinned.rows, ...recent.rows], selection, setRenamingId);
  const sections = useMemo(() => groupByTime(recent.rows), [recent.rows]);
  const renderRow = (conversation: Conversation) => (
    <ConversationRow
      key={conversation.id}
      conversation={conversation}
      isCurrent={conversation.id === currentId}
      isRenaming={conversation.id === renamingId}
      isSelected={selection.isActive ? selection.ids.has(conversation.id) : undefined}
      events={events}
    />
  );
  const isEmpty = recent.query.isSuccess && pinned.query.isSuccess && pinned.rows.length + recent.rows.length === 0;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are shortcuts of the links inside
    <div className="conversation-list" data-rows data-scroll onKeyDown={(event) => onRowKey(event, events)}>
      {pinned.rows.length > 0 && <SectionRows title={t("Pinned")} rows={pinned.rows} renderRow={renderRow} />}
      {pinned.query.hasNextPage && (
        <button type="button" className="link" onClick={() => void pinned.query.fetchNextPage()}>
          {t("Show more")}
        </button>
      )}
      {sections.map(({ title, conversations }: Section) => (
        <SectionRows key={title} title={title} rows={conversations} renderRow={renderRow} />
      ))}
      {isEmpty && (
        <p className="soft list-note">
          {isFiltered ? t("No conversation has this tag or notebook.") : t("No conversations yet")}
        </p>
      )}
      <EndOfList query={recent.query} />
    </div>
  );
}

type SectionProps = { title: string; rows: Conversation[]; renderRow: (conversation: Conversation) => ReactNode };

function SectionRows({ title, rows, renderRow }: SectionProps) {
  return (
    <section>
      <h2 className="section-title">{title}</h2>
      <ul className="rows">{rows.map(renderRow)}</ul>
    </section>
  );
}

function useRowEvents(
  loaded: Conversation[],
  selection: Selection,
  setRenamingId: (id: string | null) => void,
): RowEvents {
  const navigate = useNavigate();
  const moveToTrash = useMoveToTrash();
  const latest = useRef({ loaded, selection, navigate, moveToTrash });
  latest.current = { loaded, selection, navigate, moveToTrash };
  return useMemo(
    () => ({
      open: (conversationId) =>
        void latest.current.navigate({ to: "/app/c/$conversationId", params: { conversationId } }),
      toggle: (id, isRange) => latest.current.selection.toggle(id, isRange),
      startRename: setRenamingId,
      endRename: (id, isFromKeyboard) => {
        setRenamingId(null);
        if (isFromKeyboard) requestAnimationFrame(() => focusRow(rowOf(id)));
      },
      moveToTrash: (id) => latest.current.moveToTrash(latest.current.loaded.filter((one) => one.id === id)),
      drag: (id, event) => {
        const { ids } = latest.current.selection;
        setDragged(event, ids.has(id) ? [...ids] : [id]);
      },
    }),
    [setRenamingId],
  );
}

/** The keys of a row: arrows move the focus, F2 renames, Delete moves to the trash. */
function onRowKey(event: KeyboardEvent, events: RowEvents): void {
  const target = event.target as HTMLElement;
  // The dialog that a row has opened is in the row, and has keys of its own.
  const id = target.closest<HTMLElement>(".row, dialog")?.dataset.conversation;
  if (!id || event.altKey || event.ctrlKey || event.metaKey) return;
  const isLink = target.matches("a.row-link");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") moveFocus(event.key === "ArrowDown" ? 1 : -1);
  else if (event.key === "F2" && isLink) events.startRename(id);
  else if (event.key === "Delete" && isLink) {
    focusAfterRow(target);
    events.moveToTrash(id);
  } else return;
  event.preventDefault();
}
