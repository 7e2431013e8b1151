import { useState } from "react";
import type { Share } from "../api/shares";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { NewLink } from "./NewLink";
import { ShareForm } from "./ShareForm";
import { ShareList } from "./ShareList";
import "../settings/settings.css"; // the look of fields and rows

type Props = { conversationId: string; lastMessageId?: string; onClose: () => void };

/** Shares a conversation, up to a message if one is named, and lists the links that exist. */
export function ShareDialog({ conversationId, lastMessageId, onClose }: Props) {
  const [created, setCreated] = useState<Share | null>(null);
  const forget = ({ id }: Share) => setCreated((share) => (share?.id === id ? null : share));
  return (
    <Dialog title={lastMessageId ? t("Share up to this message") : t("Share")} onClose={onClose}>
      <p className="soft">
        {lastMessageId
          ? t(
              "A link shows a copy of the conversation as it is now, up to this message. Later messages and changes do not appear in it, nor do reasoning and system prompts.",
            )
          : t(
              "A link shows a copy of the conversation as it is now. Later messages and changes do not appear in it, nor do reasoning and system prompts.",
            )}
      </p>
      {created ? (
        <NewLink share={created} onDone={() => setCreated(null)} />
      ) : (
        <ShareForm conversationId={conversationId} lastMessageId={lastMessageId} onCreated={setCreated} />
      )}
      <section className="share-links" aria-labelledby="share-links-title">
        <h3 id="share-links-title">{t("Links to this conversation")}</h3>
        <ShareList conversationId={conversationId} onRevoked={forget} />
      </section>
    </Dialog>
  );
}
