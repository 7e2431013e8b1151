import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
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
  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation is another page
  const wasLoading = useMemo(() => !me, [conversationId]);
  if (!me) return <ThreadSkeleton />;
  return (
    <>
      {conversationId ? (
        <ExistingChat
          key={conversationId}
          userId={me.id}
          id={conversationId}
          messageId={message}
          wasLoading={wasLoading}
        />
      ) : (
        <NewChat userId={me.id} wasLoading={wasLoading} />
      )}
      <Announcer conversationId={conversationId} />
    </>
  );
}
