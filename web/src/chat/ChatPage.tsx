import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { meQuery } from "../api/account";
import { Announcer } from "./Announcer";
import { ExistingChat } from "./ExistingChat";
import { NewChat } from "./NewChat";
import { ThreadSkeleton } from "./ThreadSkeleton";
import "./chat.css";

/** A conversation, or the beginning of a new one. */
export function ChatPage() {
  const { conversationId } = useParams({ strict: false });
  const { message } = useSearch({ strict: false }) as { message?: string };
  const { data: me } = useQuery(meQuery);
  if (!me) return <ThreadSkeleton />;
  return (
    <>
      {conversationId ? (
        <ExistingChat key={conversationId} userId={me.id} id={conversationId} messageId={message} />
      ) : (
        <NewChat userId={me.id} />
      )}
      <Announcer conversationId={conversationId} />
    </>
  );
}
