import { useEffect, useState } from "react";
import { t } from "../i18n";
import { onReplyEnd } from "./replies";

const LONGEST = 1000; // characters

/**
 * A live region that announces a finished reply to screen readers. It is silent while the reply grows. Without a
 * conversation, it announces the reply to the question that begins one, because a quick reply ends before its
 * conversation is open.
 */
export function Announcer({ conversationId }: { conversationId: string | undefined }) {
  const [said, setSaid] = useState({ id: "", text: "" });
  useEffect(
    () =>
      onReplyEnd((message) => {
        if (conversationId && message.conversation_id !== conversationId) return;
        const text = message.content?.slice(0, LONGEST) || message.error || "";
        setSaid({
          id: message.id,
          text: message.status === "failed" ? t("The reply failed. {{text}}", { text }) : text,
        });
      }),
    [conversationId],
  );
  return (
    <div className="visually-hidden" aria-live="polite">
      {/* With the key, a reply with the same text is another element, so it is read, too. */}
      <span key={said.id}>{said.text}</span>
    </div>
  );
}
