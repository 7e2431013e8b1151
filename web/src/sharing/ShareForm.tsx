import { type FormEvent, useState } from "react";
import { type Share, type ShareFields, useCreateShare } from "../api/shares";
import { t } from "../i18n";
import { ExpiryChoice } from "../settings/ExpiryChoice";
import { type Expiry, expiryTime } from "../settings/expiry";
import { errorOf, Outcome } from "../settings/Field";

const PERIODS = [1, 7, 30];

type Props = {
  conversationId: string;
  lastMessageId: string | undefined;
  onCreated: (share: Share) => void;
};

/** The options of a new link. */
export function ShareForm({ conversationId, lastMessageId, onCreated }: Props) {
  const [sign_in_required, setSignInRequired] = useState(false);
  const [expiry, setExpiry] = useState<Expiry>({ choice: "never", date: "" });
  const [isDateMissing, setDateMissing] = useState(false);
  const create = useCreateShare(conversationId);
  const send = (fields: ShareFields) => create.mutate(fields, { onSuccess: onCreated });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const expires_at = expiryTime(expiry, new Date());
    setDateMissing(expires_at === undefined);
    if (expires_at === undefined) return;
    send({ sign_in_required, expires_at, ...(lastMessageId && { message_id: lastMessageId }) });
  };
  return (
    <form onSubmit={submit} noValidate aria-label={t("New link")}>
      <ExpiryChoice
        periods={PERIODS}
        expiry={expiry}
        onChange={setExpiry}
        error={isDateMissing ? t("Choose a date.") : errorOf(create.error, "expires_at")}
      />
      <label className="check field">
        <input
          type="checkbox"
          checked={sign_in_required}
          onChange={(event) => setSignInRequired(event.target.checked)}
        />
        <span>{t("Only people who are signed in here can read it")}</span>
      </label>
      <Outcome error={create.error} fields={["expires_at"]} />
      <button type="submit" className="button" disabled={create.isPending}>
        {t("Create a link")}
      </button>
    </form>
  );
}
