import { memo } from "react";
import type { SharedMessage } from "../api/shares";
import { speakerOf } from "../chat/speakers";
import { MessageBody } from "../content/MessageBody";
import { t } from "../i18n";

/** One message of a shared conversation. */
export const SharedMessageRow = memo(({ message }: { message: SharedMessage }) => (
  <article className="message" data-role={message.role} aria-label={authorOf(message)}>
    <div className="message-body">
      <MessageBody message={message} />
    </div>
    {(message.status === "incomplete" || message.status === "failed") && (
      <p className="message-note">{t("This reply is incomplete.")}</p>
    )}
  </article>
));

/** Name the author of a message. The reader is not the user who wrote it. */
function authorOf(message: SharedMessage): string {
  return message.role === "user" && !message.name ? t("Question") : speakerOf(message);
}
