import { useEffect, useState } from "react";
import { t } from "../i18n";
import { onReplyEnd } from "./replies";

const LONGEST = 1000; // characters

/** A live region that announces a finished reply to screen readers. It is silent while the reply grows. */
export function Announcer({ conversationId }: { conversationId: string }) {
  const [text, setText] = useState("");
  useEffect(
    () =>
      onReplyEnd((message) => {
        if (message.conversation_id !== conversationId) return;
        const content = message.content?.slice(0, LONGEST) || message.error || "";
        setText(message.status === "failed" ? t("The reply failed. {{text}}", { text: content }) : content);
      }),
    [conversationId],
  );
  return (
    <div className="visually-hidden" aria-live="polite">
      {text}
    </div>
  );
}
