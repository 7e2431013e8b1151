import { useState } from "react";
import type { BulkAction, Conversation } from "../api/conversations";
import { formatNumber, t } from "../i18n";
import { IconButton } from "../ui/IconButton";
import { act } from "./actions";
import type { Selection } from "./selection";
import { TagsDialog } from "./TagsDialog";
import { useMoveToTrash } from "./useMoveToTrash";

type Props = { selection: Selection; loaded: Conversation[]; onEnd: () => void };

/** The actions on the selected conversations of the sidebar. */
export function BulkBar({ selection, loaded, onEnd }: Props) {
  const [isTagging, setTagging] = useState(false);
  const moveToTrash = useMoveToTrash();
  const chosen = loaded.filter(({ id }) => selection.ids.has(id));
  const isNone = chosen.length === 0;
  const arePinned = !isNone && chosen.every(({ is_pinned }) => is_pinned);
  const apply = (action: BulkAction) => {
    onEnd();
    if (action === "trash") moveToTrash(chosen);
    else void act(chosen, action);
  };
  return (
    <div className="bulk-bar" role="toolbar" aria-label={t("Selected conversations")}>
      <div className="bulk-line">
        <span aria-live="polite">{t("{{number}} selected", { number: formatNumber(chosen.length) })}</span>
        <button type="button" className="link" onClick={selection.selectAll}>
          {t("Select all")}
        </button>
      </div>
      <div className="bulk-line">
        <IconButton
          icon="pin"
          label={arePinned ? t("Unpin") : t("Pin")}
          disabled={isNone}
          onClick={() => apply(arePinned ? "unpin" : "pin")}
        />
        <IconButton icon="tag" label={t("Add tags")} disabled={isNone} onClick={() => setTagging(true)} />
        <IconButton icon="archive" label={t("Archive")} disabled={isNone} onClick={() => apply("archive")} />
        <IconButton icon="trash" label={t("Move to the trash")} disabled={isNone} onClick={() => apply("trash")} />
        <IconButton icon="close" className="bulk-end" label={t("Stop selecting")} onClick={onEnd} />
      </div>
      {isTagging && <TagsDialog conversations={chosen} onClose={() => setTagging(false)} />}
    </div>
  );
}
