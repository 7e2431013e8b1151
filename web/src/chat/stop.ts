import { useCallback, useEffect } from "react";
import { stopReply } from "../api/messages";
import { explain } from "../ui/explain";
import { closesSomething } from "../ui/focus";
import { showToast } from "../ui/toastState";

/** Return the function that stops a reply, or null if none is under way. Escape stops it, too. */
export function useStop(conversationId: string, answerId: string | null): (() => void) | null {
  const stop = useCallback(() => {
    if (answerId) stopReply(conversationId, answerId).catch((error: unknown) => showToast(explain(error)));
  }, [conversationId, answerId]);
  useEffect(() => {
    if (!answerId) return;
    const handle = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented && !closesSomething(event.target)) stop();
    };
    window.addEventListener("keydown", handle);
    return () => window.removeEventListener("keydown", handle);
  }, [answerId, stop]);
  return answerId ? stop : null;
}
