import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type Token, tokensQuery, useRevokeToken } from "../api/tokens";
import { formatTime, t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { explain } from "../ui/explain";
import { rescueFocus } from "../ui/focus";
import { Outcome } from "./Field";

export function TokenList() {
  const { data: tokens, error } = useQuery(tokensQuery);
  const [revoking, setRevoking] = useState<Token | null>(null);
  return (
    <section className="settings-block" aria-labelledby="tokens-title">
      <h3 id="tokens-title">{t("Your tokens")}</h3>
      {error && <p className="error-text">{explain(error)}</p>}
      {!tokens && !error && <span className="skeleton" />}
      {tokens?.length === 0 && <p className="soft">{t("You have no tokens.")}</p>}
      <ul className="entries">
        {tokens?.map((token) => (
          <TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
        ))}
      </ul>
      {revoking && <RevokeDialog token={revoking} onClose={() => setRevoking(null)} />}
    </section>
  );
}

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  useEffect(() => rescueFocus, []); // the focus can be in the row when it disappears
  return (
    <li className="entry">
      <div>
        <strong dir="auto">{token.name}</strong>{" "}
        {token.scopes?.map((scope) => (
          <code key={scope} className="badge">
            {scope}
          </code>
        ))}
        <small className="soft">
          {[expiryOf(token), lastUseOf(token), t("created {{time}}", { time: formatTime(token.created_at) })].join(
            " · ",
          )}
        </small>
      </div>
      <button
        type="button"
        className="button danger"
        onClick={onRevoke}
        aria-label={t("Revoke {{name}}", { name: token.name })}
      >
        {t("Revoke")}
      </button>
    </li>
  );
}

function expiryOf({ expires_at }: Token): string {
  if (!expires_at) return t("never expires");
  const time = formatTime(expires_at);
  return new Date(expires_at) > new Date() ? t("expires {{time}}", { time }) : t("expired {{time}}", { time });
}

function lastUseOf({ last_used_at }: Token): string {
  return last_used_at ? t("last used {{time}}", { time: formatTime(last_used_at) }) : t("never used");
}

function RevokeDialog({ token, onClose }: { token: Token; onClose: () => void }) {
  const revoke = useRevokeToken();
  return (
    <Dialog title={t("Revoke the token “{{name}}”?", { name: token.name })} onClose={onClose}>
      <p>{t("Programs that use it stop working at once. This cannot be undone.")}</p>
      <Outcome error={revoke.error} />
      <p className="actions">
        <button
          type="button"
          className="button danger"
          disabled={revoke.isPending}
          onClick={() => revoke.mutate(token.id, { onSuccess: onClose })}
        >
          {t("Revoke")}
        </button>
        <button type="button" className="button secondary" onClick={onClose}>
          {t("Cancel")}
        </button>
      </p>
    </Dialog>
  );
}
