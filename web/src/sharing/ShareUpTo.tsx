import { useState } from "react";
import { createPortal } from "react-dom";
import type { Message } from "../api/messages";
import { t } from "../i18n";
import { IconButton } from "../ui/IconButton";
import { ShareDialog } from "./ShareDialog";

/** A button that shares the conversation up to a message. */
export function ShareUpTo({ message }: { message: Message }) {
  const [isOpen, setOpen] = useState(false);
  if (message.role === "system" || message.role === "developer") return null; // these are not shared
  return (
    <>
      <IconButton icon="share" label={t("Share up to this message…")} onClick={() => setOpen(true)} />
      {isOpen &&
        createPortal(
          <ShareDialog
            conversationId={message.conversation_id}
            lastMessageId={message.id}
            onClose={() => setOpen(false)}
          />,
          document.body,
        )}
    </>
  );
}
