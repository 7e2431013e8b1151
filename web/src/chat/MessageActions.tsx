import type { Message } from "../api/messages";
import { MessageTools } from "../content/MessageTools";
import { t } from "../i18n";
import { ShareUpTo } from "../sharing/ShareUpTo";
import { IconButton } from "../ui/IconButton";
import { remove } from "./actions";
import { BranchPicker } from "./BranchPicker";
import { TryAgain } from "./TryAgain";

type Props = { message: Message; isLast: boolean; onEdit: () => void };

/** The row below a message: branches, copy, reactions, edit, try again, share, delete. */
export function MessageActions({ message, isLast, onEdit }: Props) {
  const isQuestion = message.role === "user";
  return (
    <div className="message-actions">
      <BranchPicker message={message} />
      <MessageTools message={message} />
      {isQuestion && message.content && <IconButton icon="edit" label={t("Edit the message")} onClick={onEdit} />}
      {(message.role === "assistant" || (isQuestion && isLast)) && <TryAgain message={message} />}
      <ShareUpTo message={message} />
      <IconButton icon="trash" label={t("Delete the message")} onClick={() => remove(message)} />
    </div>
  );
}
