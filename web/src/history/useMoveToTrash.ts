import { useNavigate, useParams } from "@tanstack/react-router";
import type { Conversation } from "../api/conversations";
import { act } from "./actions";

/** Return a function that moves conversations to the trash. If the open one is among them, a new one follows. */
export function useMoveToTrash(): (conversations: Conversation[]) => void {
  const navigate = useNavigate();
  const { conversationId } = useParams({ strict: false });
  return (conversations) => {
    void act(conversations, "trash");
    if (conversations.some(({ id }) => id === conversationId)) void navigate({ to: "/app" });
  };
}
