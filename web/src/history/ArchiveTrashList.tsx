/** The list of the archive and of the trash. */

import { useInfiniteQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useMemo, useState } from "react";
import { type BulkAction, type Conversation, type Filters, listQuery } from "../api/conversations";
import { conversationsOf } from "../api/lists";
import { ArchiveTrashRow } from "./ArchiveTrashRow";
import { ArchiveTrashToolbar } from "./ArchiveTrashToolbar";
import { DeleteDialog } from "./DeleteDialog";
import { EndOfList } from "./EndOfList";
import { moveFocus } from "./rows";
import { useSelection } from "./selection";
import "./archiveTrash.css";

type Props = {
  filters: Filters;
  /** The action that takes a conversation out of this list. */
  back: BulkAction;
  emptyText: string;
};

export function ArchiveTrashList({ filters, back, emptyText }: Props) {
  const query = useInfiniteQuery(listQuery(filters));
  const rows = useMemo(() => conversationsOf(query.data), [query.data]);
  const selection = useSelection(useMemo(() => rows.map(({ id }) => id), [rows]));
  const [deleting, setDeleting] = useState<Conversation[]>([]);
  const chosen = rows.filter(({ id }) => selection.ids.has(id));
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys are shortcuts between the controls inside
    <div data-rows onKeyDown={onKeyDown}>
      {rows.length > 0 && (
        <ArchiveTrashToolbar back={back} chosen={chosen} selection={selection} onDelete={() => setDeleting(chosen)} />
      )}
      <ul className="archive-trash">
        {rows.map((conversation) => (
          <ArchiveTrashRow
            key={conversation.id}
            conversation={conversation}
            back={back}
            isSelected={selection.ids.has(conversation.id)}
            onToggle={selection.toggle}
            onDelete={() => setDeleting([conversation])}
          />
        ))}
      </ul>
      {query.isSuccess && rows.length === 0 && <p className="archive-trash-empty soft">{emptyText}</p>}
      <EndOfList query={query} />
      {deleting.length > 0 && <DeleteDialog conversations={deleting} onClose={() => setDeleting([])} />}
    </div>
  );
}

function onKeyDown(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] as 1 | -1 | undefined;
  if (step && moveFocus(step)) event.preventDefault();
}
