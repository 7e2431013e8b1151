import { type ReactNode, useMemo } from "react";
import { MessageBody } from "../content/MessageBody";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";
import { LiveRow } from "./MessageRow";
import { discard, sendWaiting } from "./outbox";
import type { Pending } from "./questions";
import { draftOf } from "./replies";

/** A question that is not among the loaded messages yet, and its answer while it streams. */
export function PendingRow({ pending }: { pending: Pending }) {
  const { question, phase } = pending;
  const conversationId = question.conversationId ?? "";
  const answerId = phase.name === "accepted" ? phase.answerId : "";
  const answer = useMemo(() => draftOf({ id: answerId, conversationId }), [answerId, conversationId]);
  const shown = useMemo(
    () => ({ ...draftOf({ id: question.key, conversationId }), role: "user" as const, content: question.content }),
    [question, conversationId],
  );
  return (
    <>
      {question.kind !== "again" && (
        <article className="message" data-role="user" aria-label={t("You")}>
          <div className="message-body">
            <MessageBody message={shown} />
          </div>
          <PendingNote pending={pending} />
        </article>
      )}
      {question.kind === "again" && <PendingNote pending={pending} />}
      {answerId && conversationId && <LiveRow message={answer} />}
    </>
  );
}

function PendingNote({ pending }: { pending: Pending }) {
  const { phase } = pending;
  if (phase.name === "signed-out") {
    return (
      <WaitingNote pending={pending} reason={t("Waiting until you have signed in again…")}>
        <a className="link" href="/accounts/login/" target="_blank" rel="noreferrer">
          {t("Sign in")}
        </a>
      </WaitingNote>
    );
  }
  if (phase.name === "waiting") {
    return (
      <WaitingNote pending={pending} reason={phase.reason || t("Waiting for the connection…")}>
        <button type="button" className="link" disabled={phase.isTrying} onClick={sendWaiting}>
          {t("Send now")}
        </button>
      </WaitingNote>
    );
  }
  return <div className="message-actions" />;
}

type NoteProps = { pending: Pending; reason: string; children: ReactNode };

/** Says why a question waits. Offers what ends the waiting (`children`), and to discard the question. */
function WaitingNote({ pending, reason, children }: NoteProps) {
  const leave = () => {
    discard(pending);
    document.querySelector<HTMLElement>(".composer textarea")?.focus(); // the button has disappeared
  };
  return (
    <p className="message-note waiting" role="status">
      <Icon name="clock" />
      <span>{reason}</span>
      {children}
      <button type="button" className="link" onClick={leave}>
        {t("Discard")}
      </button>
    </p>
  );
}
