import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { serviceQuery } from "../api/account";
import type { BulkAction, Conversation } from "../api/conversations";
import { formatTime, t } from "../i18n";
import { IconButton } from "../ui/IconButton";
import { act } from "./actions";
import { focusAfterRow } from "./rows";

type Props = {
  conversation: Conversation;
  back: BulkAction;
  isSelected: boolean;
  onToggle: (id: string, isRange: boolean) => void;
  onDelete: () => void;
};

const DAY = 24 * 60 * 60 * 1000;

/** A conversation in the archive or the trash, with its check box and its buttons. */
export const ArchiveTrashRow = memo(function ArchiveTrashRow({
  conversation,
  back,
  isSelected,
  onToggle,
  onDelete,
}: Props) {
  const { id, title, preview } = conversation;
  const leave = (button: Element, action: BulkAction) => {
    focusAfterRow(button);
    void act([conversation], action);
  };
  return (
    <li className="row archive-trash-row" data-conversation={id} data-selected={isSelected || undefined}>
      <input
        type="checkbox"
        aria-label={t("Select “{{title}}”", { title })}
        checked={isSelected}
        onChange={({ nativeEvent }) => onToggle(id, nativeEvent instanceof PointerEvent && nativeEvent.shiftKey)}
      />
      <div className="archive-trash-text">
        <Title conversation={conversation} />
        <span className="archive-trash-preview" dir="auto">
          {preview}
        </span>
        <Times conversation={conversation} />
      </div>
      {back === "restore" ? (
        <IconButton
          icon="restore"
          label={t("Restore “{{title}}”", { title })}
          title={t("Restore")}
          onClick={(event) => leave(event.currentTarget, "restore")}
        />
      ) : (
        <IconButton
          icon="restore"
          label={t("Take “{{title}}” out of the archive", { title })}
          title={t("Take out of the archive")}
          onClick={(event) => leave(event.currentTarget, "unarchive")}
        />
      )}
      {back === "restore" ? (
        <IconButton
          icon="trash"
          label={t("Delete “{{title}}” permanently", { title })}
          title={t("Delete permanently")}
          onClick={onDelete}
        />
      ) : (
        <IconButton
          icon="trash"
          label={t("Move “{{title}}” to the trash", { title })}
          title={t("Move to the trash")}
          onClick={(event) => leave(event.currentTarget, "trash")}
        />
      )}
    </li>
  );
});

/** A conversation in the trash cannot be opened. */
function Title({ conversation }: { conversation: Conversation }) {
  const { id, title, deleted_at } = conversation;
  if (deleted_at) {
    return (
      <span className="archive-trash-title" dir="auto">
        {title}
      </span>
    );
  }
  return (
    <Link to="/app/c/$conversationId" params={{ conversationId: id }} className="archive-trash-title" dir="auto">
      {title}
    </Link>
  );
}

function Times({ conversation }: { conversation: Conversation }) {
  const { data: service } = useQuery({ ...serviceQuery, retry: false });
  const { active_at, deleted_at } = conversation;
  if (!deleted_at)
    return <span className="archive-trash-times">{t("Last message {{time}}", { time: formatTime(active_at) })}</span>;
  return (
    <span className="archive-trash-times">
      {t("Moved here {{time}}", { time: formatTime(deleted_at) })}
      {service && ` · ${describeDays(daysLeft(deleted_at, service.trash_days, Date.now()))}`}
    </span>
  );
}

function daysLeft(deletedAt: string, trashDays: number, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(deletedAt) + trashDays * DAY - now) / DAY));
}

function describeDays(count: number): string {
  if (count === 0) return t("Will be deleted soon");
  return t("{{count}} days left", { count, defaultValue_one: "{{count}} day left" });
}
