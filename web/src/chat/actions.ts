/** The actions of the user on a message. */

import { meQuery } from "../api/account";
import { displayBranch, type Message, restoreMessage, trashMessage } from "../api/messages";
import { queryClient } from "../api/queryClient";
import { t } from "../i18n";
import { explain } from "../ui/explain";
import { showToast } from "../ui/toastState";
import { submit } from "./outbox";

/** Regenerate an answer, or ask for the answer to a question. An old answer stays on its branch. */
export function askAgain(message: Message, model?: string): void {
  submit({ ...addressOf(message), kind: "again", content: "", ...(model && { model }) });
  setTimeout(focusThread, 100); // milliseconds, until the menu has closed
}

/** Focus the thread if the focused button has disappeared with its message. */
function focusThread(): void {
  if (document.activeElement !== document.body) return;
  document.querySelector<HTMLElement>(".thread")?.focus({ preventScroll: true });
}

/** Ask an edited question. The old one stays on its branch. */
export function askEdited(message: Message, content: string): void {
  submit({ ...addressOf(message), kind: "edit", content });
}

function addressOf({ id, conversation_id }: Message) {
  const userId = queryClient.getQueryData(meQuery.queryKey)?.id ?? "";
  return { userId, conversationId: conversation_id, messageId: id };
}

/** Display the branch of an alternative. Its picker gets the focus, so that people who use the keyboard can continue. */
export function showBranch(message: Message, siblingId: string): void {
  const focus = () =>
    requestAnimationFrame(() => {
      document.querySelector<HTMLElement>(`#message-${siblingId} .branch-picker button:enabled`)?.focus();
    });
  displayBranch(message.conversation_id, siblingId).then(focus).catch(report);
}

/** Move a message to the trash, and offer to undo it. */
export function remove(message: Message): void {
  const undo = () => {
    restoreMessage(message).catch(report);
  };
  const confirm = () => showToast(t("Message deleted"), { label: t("Undo"), run: undo });
  trashMessage(message).then(confirm).catch(report);
}

function report(error: unknown): void {
  showToast(explain(error));
}
