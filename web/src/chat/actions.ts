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
  setTimeout(() => focusThread(message), 100); // milliseconds, until the menu has closed
}

/** Focus the thread if the focused button has disappeared with its message. */
function focusThread(message: Message): void {
  if (!hasFocus(message)) return;
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

let chosenBranch = ""; // the alternative that the user has chosen last

/** Display the branch of an alternative. Its picker gets the focus, so that people who use the keyboard can continue. */
export function showBranch(message: Message, siblingId: string): void {
  chosenBranch = siblingId;
  displayBranch(message.conversation_id, siblingId).catch(report);
}

/** Focus the picker of an alternative that has appeared, if the picker in which the user has chosen it had the focus. */
export function focusChosenBranch({ id }: Message, picker: HTMLElement | null): void {
  if (id !== chosenBranch || document.activeElement !== document.body) return;
  chosenBranch = "";
  picker?.querySelector<HTMLElement>("button:enabled")?.focus();
}

/** Move a message to the trash, and offer to undo it. */
export function remove(message: Message): void {
  const undo = () => {
    restoreMessage(message).catch(report);
  };
  const neighbour = neighbourOf(message);
  const confirm = () => {
    showToast(t("Message deleted"), { label: t("Undo"), run: undo });
    if (hasFocus(message)) neighbour?.focus();
  };
  trashMessage(message).then(confirm).catch(report);
}

/** Whether the focus is in the row of a message, or nowhere because the row has disappeared. */
function hasFocus({ id }: Message): boolean {
  const { activeElement, body } = document;
  return activeElement === body || Boolean(activeElement?.closest(`#message-${CSS.escape(id)}`));
}

/** Return the row after the row of a message, or else the row before it. */
function neighbourOf({ id }: Message): HTMLElement | undefined {
  const rows = [...document.querySelectorAll<HTMLElement>(".thread article")];
  const place = rows.findIndex((row) => row.id === `message-${id}`);
  return rows[place + 1] ?? rows[place - 1];
}

function report(error: unknown): void {
  showToast(explain(error));
}
