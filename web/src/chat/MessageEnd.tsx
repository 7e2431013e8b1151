import type { Message } from "../api/messages";
import { t } from "../i18n";
import { askAgain } from "./actions";

/** Says why a reply is incomplete or has failed. */
export function MessageEnd({ message }: { message: Message }) {
  const { status, finish_reason, error } = message;
  if (status === "failed") return <Failure message={message} />;
  if (status !== "incomplete") return null;
  if (finish_reason === "stopped") return <p className="message-note">{t("Stopped")}</p>;
  return <p className="message-note">{error || t("This reply is incomplete.")}</p>;
}

function Failure({ message }: { message: Message }) {
  return (
    <div className="message-failure">
      <p>{message.error || t("The model did not answer.")}</p>
      <button type="button" className="button secondary" onClick={() => askAgain(message)}>
        {t("Try again")}
      </button>
    </div>
  );
}
