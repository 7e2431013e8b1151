import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { type Share, useRevokeShare } from "../api/shares";
import { CopyButton } from "../content/CopyButton";
import { formatTime, t } from "../i18n";
import { explain } from "../ui/explain";
import { rescueFocus } from "../ui/focus";
import { Icon } from "../ui/Icon";
import { endOf } from "./ends";

type Props = { share: Share; hasTitle: boolean; onRevoked: ((share: Share) => void) | undefined };

/** One link, with buttons to copy, open and revoke it. */
export function ShareRow({ share, hasTitle, onRevoked }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const [isAsking, setAsking] = useState(false);
  useEffect(() => rescueFocus, []); // the focus can be in the row when it disappears
  // Tells the buttons of one link from those of another.
  const link = hasTitle ? share.title || t("Untitled") : formatTime(share.created_at);
  const open = t("Open the link “{{link}}”", { link });
  const cancel = () => {
    setAsking(false);
    button.current?.focus();
  };
  return (
    <li className="share">
      <div className="entry">
        <div>
          {hasTitle && <ShareTitle share={share} />}
          <ShareFacts share={share} />
        </div>
        <div className="share-actions">
          <CopyButton text={share.url} label={t("Copy the link “{{link}}”", { link })} />
          <a className="icon-button" href={share.url} target="_blank" rel="noreferrer" aria-label={open} title={open}>
            <Icon name="open" />
          </a>
          <button
            type="button"
            ref={button}
            className="link danger"
            aria-label={t("Revoke “{{link}}”", { link })}
            aria-expanded={isAsking}
            onClick={() => setAsking(!isAsking)}
          >
            {t("Revoke")}
          </button>
        </div>
      </div>
      {isAsking && <ConfirmRevoke share={share} onRevoked={onRevoked} onCancel={cancel} />}
    </li>
  );
}

function ShareTitle({ share }: { share: Share }) {
  return (
    <Link to="/app/c/$conversationId" params={{ conversationId: share.conversation_id }} className="share-title">
      <strong dir="auto">{share.title || t("Untitled")}</strong>
    </Link>
  );
}

function ShareFacts({ share }: { share: Share }) {
  const { message_count: count, expires_at, sign_in_required, created_at } = share;
  const messages = t("{{count}} messages", { count, defaultValue_one: "{{count}} message" });
  return (
    <>
      <span className="share-facts">
        {messages} · {endOf(expires_at)}
      </span>
      <small className="soft">
        {t("created {{time}}", { time: formatTime(created_at) })}
        {sign_in_required && ` · ${t("sign-in required")}`}
      </small>
    </>
  );
}

type ConfirmProps = Omit<Props, "hasTitle"> & { onCancel: () => void };

/** Asks below the link before it is revoked. */
function ConfirmRevoke({ share, onRevoked, onCancel }: ConfirmProps) {
  const revoke = useRevokeShare();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form fields
    <div className="confirm-revoke" role="group" aria-label={t("Revoke this link?")}>
      <p>{t("The link stops working at once. This cannot be undone. A new link has another address.")}</p>
      {revoke.error && (
        <p className="error-text" role="alert">
          {explain(revoke.error)}
        </p>
      )}
      <div className="actions">
        <button
          type="button"
          className="button danger"
          ref={focus}
          disabled={revoke.isPending}
          onClick={() => revoke.mutate(share.id, { onSuccess: () => onRevoked?.(share) })}
        >
          {t("Revoke the link")}
        </button>
        <button type="button" className="button secondary" onClick={onCancel}>
          {t("Cancel")}
        </button>
      </div>
    </div>
  );
}

function focus(element: HTMLElement | null): void {
  element?.focus();
}
