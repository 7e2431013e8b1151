import { useState } from "react";
import type { Share } from "../api/shares";
import { t } from "../i18n";
import { NewLink } from "./NewLink";
import { ShareForm } from "./ShareForm";
import { ShareList } from "./ShareList";
import "../settings/settings.css"; // the look of fields and rows

export type ShareProps = { conversationId: string; lastMessageId?: string };

/** The content of the share dialog: an explanation, the form or the new link, and the links that exist. */
export function ShareContent({ conversationId, lastMessageId }: ShareProps) {
  const [created, setCreated] = useState<Share | null>(null);
  const forget = ({ id }: Share) => setCreated((share) => (share?.id === id ? null : share));
  return (
    <>
      <p className="soft">
        {lastMessageId
          ? t(
              "A link shows a copy of the conversation as it is now, up to this message, without reasoning and system prompts. Later messages and changes are not added. Messages that you delete disappear from the copy.",
            )
          : t(
              "A link shows a copy of the conversation as it is now, without reasoning and system prompts. Later messages and changes are not added. Messages that you delete disappear from the copy.",
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
    </>
  );
}
