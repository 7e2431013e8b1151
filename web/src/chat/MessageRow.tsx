import { memo, type ReactNode, useCallback, useRef, useState } from "react";
import type { Message } from "../api/messages";
import { MessageBody } from "../content/MessageBody";
import { t } from "../i18n";
import { EditForm } from "./EditForm";
import { messageOf } from "./events";
import { MessageActions } from "./MessageActions";
import { MessageEnd } from "./MessageEnd";
import { useReply } from "./replies";
import { speakerOf } from "./speakers";

type Props = { message: Message; isLast: boolean; isMarked: boolean };

/** One message. While its reply streams, only this row is rendered again. */
export const MessageRow = memo(({ message, isLast, isMarked }: Props) =>
  message.status === "in_progress" ? (
    <LiveRow message={message} isMarked={isMarked} />
  ) : (
    <StoredRow message={message} isLast={isLast} isMarked={isMarked} />
  ),
);

function StoredRow({ message, isLast, isMarked }: Props) {
  const [isEdited, setEdited] = useState(false);
  const row = useRef<HTMLElement>(null);
  const endEdit = useCallback(() => {
    setEdited(false);
    row.current?.focus();
  }, []);
  return (
    <MessageFrame message={message} isMarked={isMarked} isLast={isLast} ref={row}>
      {isEdited ? (
        <EditForm message={message} onEnd={endEdit} />
      ) : (
        <>
          <div className="message-body">
            <MessageBody message={message} />
          </div>
          <MessageEnd message={message} />
          <MessageActions message={message} isLast={isLast} onEdit={() => setEdited(true)} />
        </>
      )}
    </MessageFrame>
  );
}

export function LiveRow({ message, isMarked = false }: { message: Message; isMarked?: boolean }) {
  const view = useReply(message.conversation_id, message.id);
  const shown = view ? messageOf(message, view.reply) : message;
  const isStreaming = shown.status === "in_progress";
  const isEmpty = !shown.content && !shown.reasoning && !shown.tool_calls && !shown.parts;
  return (
    <MessageFrame message={shown} isMarked={isMarked} isBusy={isStreaming}>
      <div className="message-body">
        {isEmpty && isStreaming ? <Thinking /> : <MessageBody message={shown} isStreaming={isStreaming} />}
      </div>
      {view && !view.isConnected && isStreaming && (
        <p className="message-note">{t("The connection is lost. The reply continues when the connection is back.")}</p>
      )}
      {!isStreaming && <MessageEnd message={shown} />}
      <div className="message-actions" />
    </MessageFrame>
  );
}

function Thinking() {
  return (
    <span className="thinking">
      <span className="visually-hidden">{t("The model is thinking.")}</span>
      <span aria-hidden="true">● ● ●</span>
    </span>
  );
}

type FrameProps = {
  message: Message;
  isMarked?: boolean;
  isLast?: boolean;
  isBusy?: boolean;
  children: ReactNode;
  ref?: React.Ref<HTMLElement>;
};

function MessageFrame({ message, isMarked = false, isLast = false, isBusy = false, children, ref }: FrameProps) {
  return (
    <article
      id={`message-${message.id}`}
      ref={ref}
      className="message"
      data-role={message.role}
      data-marked={isMarked || undefined}
      data-last={isLast || undefined}
      aria-label={speakerOf(message)}
      aria-busy={isBusy}
      tabIndex={-1}
    >
      {children}
    </article>
  );
}
