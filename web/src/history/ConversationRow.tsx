import { type DragEvent, type MouseEvent, memo } from "react";
import type { Conversation } from "../api/conversations";
import { ConversationMenu } from "./ConversationMenu";
import { RenameInput } from "./RenameInput";

/** The events that rows report to the list. The object never changes, so React renders only the rows that change. */
export type RowEvents = {
  open: (id: string) => void;
  toggle: (id: string, isRange: boolean) => void;
  startRename: (id: string) => void;
  endRename: (id: string, isFromKeyboard: boolean) => void;
  moveToTrash: (id: string) => void;
  drag: (id: string, event: DragEvent) => void;
};

type Props = {
  conversation: Conversation;
  isCurrent: boolean;
  isRenaming: boolean;
  /** Undefined outside of the mode in which conversations are selected. */
  isSelected: boolean | undefined;
  events: RowEvents;
};

export const ConversationRow = memo(function ConversationRow(props: Props) {
  const { conversation, isCurrent, isRenaming, isSelected } = props;
  return (
    <li className="row" data-conversation={conversation.id} data-current={isCurrent || undefined}>
      {isSelected !== undefined ? (
        <SelectableTitle {...props} />
      ) : isRenaming ? (
        <RenameInput conversation={conversation} onEnd={(byKey) => props.events.endRename(conversation.id, byKey)} />
      ) : (
        <LinkAndMenu {...props} />
      )}
    </li>
  );
});

// A plain link: TanStack Router's Link listens to the router, which is too slow for thousands of rows.
function LinkAndMenu({ conversation, isCurrent, events }: Props) {
  const { id, title } = conversation;
  const open = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    events.open(id);
  };
  return (
    <>
      <a
        className="row-link"
        href={`/app/c/${id}`}
        aria-current={isCurrent ? "page" : undefined}
        title={title}
        onClick={open}
        onDoubleClick={() => events.startRename(id)}
        onDragStart={(event) => events.drag(id, event)}
      >
        <span dir="auto">{title}</span>
      </a>
      <ConversationMenu conversation={conversation} onRename={() => events.startRename(id)} />
    </>
  );
}

function SelectableTitle({ conversation, isSelected, events }: Props) {
  const { id, title } = conversation;
  return (
    <label className="row-link" draggable onDragStart={(event) => events.drag(id, event)}>
      <input
        type="checkbox"
        checked={isSelected}
        onChange={({ nativeEvent }) => events.toggle(id, nativeEvent instanceof PointerEvent && nativeEvent.shiftKey)}
      />
      <span dir="auto">{title}</span>
    </label>
  );
}
