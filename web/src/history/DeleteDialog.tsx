import { useState } from "react";
import { type Conversation, deletePermanently } from "../api/conversations";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { explain } from "../ui/explain";
import { showToast } from "../ui/toastState";
import { focusFirstRow } from "./rows";

type Props = { conversations: Conversation[]; onClose: () => void };

/** Asks before conversations are deleted permanently, and shows which of them must be kept. */
export function DeleteDialog({ conversations, onClose }: Props) {
  const [isDeleting, setDeleting] = useState(false);
  const [problems, setProblems] = useState<string[]>([]);
  const [first] = conversations;
  const count = conversations.length;
  const confirm = async () => {
    setDeleting(true);
    const found = await deleteAll(conversations);
    setDeleting(false);
    setProblems(found);
    if (found.length < count) showDeleted(count - found.length);
    if (found.length > 0) return;
    onClose();
    setTimeout(focusFirstRow); // the button that opened the dialog has disappeared
  };
  return (
    <Dialog title={t("Delete permanently?")} onClose={onClose}>
      {problems.length === 0 ? (
        <p>
          {count === 1
            ? t("“{{title}}” and all of its messages will be deleted. This cannot be undone.", { title: first?.title })
            : t("{{count}} conversations and all of their messages will be deleted. This cannot be undone.", { count })}
        </p>
      ) : (
        <ul className="error-text" role="alert">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      <p className="actions">
        {problems.length === 0 && (
          <button type="button" className="button danger" disabled={isDeleting} onClick={() => void confirm()}>
            {t("Delete permanently")}
          </button>
        )}
        <button type="button" className="button secondary" onClick={onClose}>
          {problems.length === 0 ? t("Cancel") : t("Close")}
        </button>
      </p>
    </Dialog>
  );
}

/** Delete one after the other. Return a sentence for each that was not deleted. */
async function deleteAll(conversations: Conversation[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { id, title } of conversations) {
    await deletePermanently(id).catch((error: unknown) => problems.push(`${title}: ${explain(error)}`));
  }
  return problems;
}

function showDeleted(count: number): void {
  showToast(
    t("{{count}} conversations deleted permanently", {
      count,
      defaultValue_one: "Conversation deleted permanently",
    }),
  );
}
