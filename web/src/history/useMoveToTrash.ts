import { useNavigate, useParams, useRouter } from "@tanstack/react-router";
import type { Conversation } from "../api/conversations";
import { act } from "./actions";

/**
 * Return a function that moves conversations to the trash. If the open one is among them, the page of a new conversation
 * follows, and undo opens the conversation again if the user is still there.
 */
export function useMoveToTrash(): (conversations: Conversation[]) => void {
  const navigate = useNavigate();
  const router = useRouter();
  const { conversationId } = useParams({ strict: false });
  return (conversations) => {
    const open = conversations.find(({ id }) => id === conversationId);
    const reopen = () => {
      if (!open || router.state.location.pathname !== "/app") return;
      void navigate({ to: "/app/c/$conversationId", params: { conversationId: open.id } });
    };
    void act(conversations, "trash", { onUndone: reopen });
    if (open) void navigate({ to: "/app" });
  };
}
