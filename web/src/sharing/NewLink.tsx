import { type FocusEvent, useEffect, useRef } from "react";
import type { Share } from "../api/shares";
import { CopyButton } from "../content/CopyButton";
import { t } from "../i18n";
import { formatEnd } from "./ends";

type Props = { share: Share; onDone: () => void };

/** Shows the address of a link that was created a moment ago. */
export function NewLink({ share, onDone }: Props) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const { sign_in_required, expires_at } = share;
  const readers = sign_in_required
    ? t("Everyone who has the link and is signed in can read the copy.")
    : t("Everyone who has the link can read the copy.");
  return (
    <section className="new-link" aria-labelledby="new-link-title">
      <h3 id="new-link-title">{t("The link is ready")}</h3>
      <div className="secret-row">
        <input ref={field} readOnly value={share.url} aria-label={t("Link")} spellCheck={false} onFocus={select} />
        <CopyButton text={share.url} label={t("Copy the new link")} />
      </div>
      <p className="soft">
        {readers} {expires_at ? t("It expires on {{time}}.", { time: formatEnd(expires_at) }) : t("It never expires.")}
      </p>
      <button type="button" className="button secondary" onClick={onDone}>
        {t("Create another link")}
      </button>
    </section>
  );
}

function select(event: FocusEvent<HTMLInputElement>): void {
  event.target.select();
}
