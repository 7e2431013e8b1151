import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { ApiError } from "../api/client";
import { conversationQuery } from "../api/conversations";
import { t } from "../i18n";
import { useDocumentTitle } from "../ui/documentTitle";
import { explain } from "../ui/explain";
import { ChatHeader } from "./ChatHeader";
import { Composer } from "./Composer";
import { submit, usePending } from "./outbox";
import { buildRows, replyUnderWay } from "./rows";
import { useStop } from "./stop";
import { Thread } from "./Thread";
import { useThread } from "./useThread";

type Props = { userId: string; id: string; messageId: string | undefined; wasLoading: boolean };

export function ExistingChat({ userId, id, messageId, wasLoading }: Props) {
  const { data: conversation, error } = useQuery(conversationQuery(id));
  const thread = useThread(id, messageId);
  const pending = usePending(userId, id);
  const rows = useMemo(() => buildRows(thread.messages, pending), [thread.messages, pending]);
  const answerId = replyUnderWay(rows);
  const stop = useStop(id, answerId);
  const navigate = useNavigate();
  useDocumentTitle(conversation?.title);
  if (error instanceof ApiError && error.status === 404) return <MissingChat />;
  const send = (content: string) => {
    submit({ userId, conversationId: id, kind: "ask", content });
    void thread.showEnd();
    if (messageId) void navigate({ to: ".", search: {}, replace: true });
  };
  return (
    <div className="chat">
      <ChatHeader conversation={conversation} />
      <Thread thread={thread} rows={rows} markedId={messageId} />
      {thread.error && !thread.isEmpty && <p className="chat-error error-text">{explain(thread.error)}</p>}
      <Composer
        userId={userId}
        conversation={conversation}
        conversationId={id}
        wasLoading={wasLoading}
        onSend={send}
        stop={stop}
      />
    </div>
  );
}

function MissingChat() {
  return (
    <div className="empty-page">
      <h1>{t("This conversation does not exist")}</h1>
      <p className="soft">{t("It may be in the trash, or deleted.")}</p>
      <p>
        <Link to="/app">{t("Start a conversation")}</Link>
      </p>
    </div>
  );
}
