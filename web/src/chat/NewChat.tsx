import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { t } from "../i18n";
import { useDocumentTitle } from "../ui/documentTitle";
import { showToast } from "../ui/toastState";
import { Composer } from "./Composer";
import { changeDraft, draftKey, readDraft } from "./drafts";
import { Greeting } from "./Greeting";
import { onAccepted, submit, usePending } from "./outbox";
import { RowView } from "./RowView";
import { buildRows } from "./rows";

/** The page of a conversation that does not exist yet. Its first question creates it. */
export function NewChat({ userId, wasLoading }: { userId: string; wasLoading: boolean }) {
  const pending = usePending(userId, null);
  const rows = useMemo(() => buildRows([], pending), [pending]);
  const key = draftKey(userId, null);
  useDocumentTitle(t("New conversation"));
  useOpenStarted(key);
  const send = (content: string) => {
    const { model, systemPrompt } = readDraft(key);
    submit({
      userId,
      conversationId: null,
      kind: "ask",
      content,
      ...(model && { model }),
      ...(systemPrompt && { systemPrompt }),
    });
    changeDraft(key, { model: "", systemPrompt: "" });
  };
  return (
    <div className={rows.length ? "chat" : "chat new-chat"}>
      <header className="chat-header">
        <h1 className={rows.length ? "" : "visually-hidden"}>{t("New conversation")}</h1>
      </header>
      {rows.length ? (
        <div className="thread">
          <div className="thread-column">
            {rows.map((row) => (
              <RowView key={row.key} row={row} isLast={false} isMarked={false} />
            ))}
          </div>
        </div>
      ) : (
        <Greeting />
      )}
      <Composer
        userId={userId}
        conversation={undefined}
        conversationId={null}
        wasLoading={wasLoading}
        onSend={send}
        stop={null}
      />
    </div>
  );
}

/** Open the conversation that the first question creates. If the user is already typing the next one, only offer it. */
function useOpenStarted(key: string): void {
  const navigate = useNavigate();
  useEffect(
    () =>
      onAccepted((question, conversationId) => {
        if (question.conversationId) return;
        const open = () => void navigate({ to: "/app/c/$conversationId", params: { conversationId } });
        if (readDraft(key).text) showToast(t("Your message was sent."), { label: t("Open"), run: open });
        else open();
      }),
    [navigate, key],
  );
}
