import type { Message } from "../api/messages";

/** The row below a message that needs no model: copy, reactions, tokens. */
export function MessageTools({ message }: { message: Message }) {
  return <span hidden>{message.id}</span>;
}
