import { useRef } from "react";
import type { BulkAction, Conversation } from "../api/conversations";
import { formatNumber, t } from "../i18n";
import { act } from "./actions";
import type { Selection } from "./selection";
import { useMoveToTrash } from "./useMoveToTrash";

type Props = { back: BulkAction; chosen: Conversation[]; selection: Selection; onDelete: () => void };

/** The actions on the selected conversations of the archive or the trash. */
export function ArchiveTrashToolbar({ back, chosen, selection, onDelete }: Props) {
  const first = useRef<HTMLButtonElement>(null);
  const moveToTrash = useMoveToTrash();
  const apply = (action: BulkAction) => {
    selection.stop();
    first.current?.focus(); // the other buttons disappear
    if (action === "trash") moveToTrash(chosen);
    else void act(chosen, action);
  };
  const isNone = chosen.length === 0;
  return (
    <div className="archive-trash-toolbar" role="toolbar" aria-label={t("Selected conversations")}>
      <button ref={first} type="button" className="link" onClick={isNone ? selection.selectAll : selection.stop}>
        {isNone ? t("Select all") : t("Select none")}
      </button>
      {!isNone && (
        <>
          <span className="soft" aria-live="polite">
            {t("{{number}} selected", { number: formatNumber(chosen.length) })}
          </span>
          <button type="button" className="button secondary" onClick={() => apply(back)}>
            {back === "restore" ? t("Restore") : t("Take out of the archive")}
          </button>
          {back === "unarchive" && (
            <button type="button" className="button secondary" onClick={() => apply("trash")}>
              {t("Move to the trash")}
            </button>
          )}
          {back === "restore" && (
            <button type="button" className="button danger" onClick={onDelete}>
              {t("Delete permanently")}
            </button>
          )}
        </>
      )}
    </div>
  );
}
