import type { Conversation } from "../api/conversations";
import { ConversationMenu } from "../history/ConversationMenu";

export function ChatHeader({ conversation }: { conversation: Conversation | undefined }) {
  return (
    <header className="chat-header">
      {conversation ? (
        <>
          <h1 dir="auto" title={conversation.title}>
            {conversation.title}
          </h1>
          <ConversationMenu conversation={conversation} />
        </>
      ) : (
        <span className="skeleton" />
      )}
    </header>
  );
}
