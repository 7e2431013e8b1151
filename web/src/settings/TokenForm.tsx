import { type FormEvent, useState } from "react";
import { ApiError } from "../api/client";
import { type NewToken, type Scope, type TokenFields, useCreateToken } from "../api/tokens";
import { t } from "../i18n";
import { ConfirmPassword } from "./ConfirmPassword";
import { ExpiryChoice } from "./ExpiryChoice";
import { type Expiry, expiryTime } from "./expiry";
import { errorOf, Field, Outcome } from "./Field";

const PERIODS = [7, 30, 90, 365];

/** The form of a new token. If the last sign-in is too long ago, it asks for the password and sends the form again. */
export function TokenForm({ onCreated }: { onCreated: (token: NewToken) => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["read"]);
  const [expiry, setExpiry] = useState<Expiry>({ choice: "90", date: "" });
  const [isDateMissing, setDateMissing] = useState(false);
  const create = useCreateToken();
  const send = (fields: TokenFields) => create.mutate(fields, { onSuccess: onCreated });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const expires_at = expiryTime(expiry, new Date());
    setDateMissing(expires_at === undefined);
    if (expires_at !== undefined) send({ name: name.trim(), scopes, expires_at });
  };
  const needsPassword = create.error instanceof ApiError && create.error.code === "reauthentication_required";
  const { variables } = create;
  return (
    <>
      <form className="settings-block" onSubmit={submit} noValidate aria-labelledby="new-token-title">
        <h3 id="new-token-title">{t("New token")}</h3>
        <Field
          label={t("Name")}
          help={t("What it is for, such as “Backup script”")}
          error={errorOf(create.error, "name")}
        >
          {(control) => (
            <input {...control} value={name} autoComplete="off" onChange={(event) => setName(event.target.value)} />
          )}
        </Field>
        <ScopeChoice chosen={scopes} onChange={setScopes} error={errorOf(create.error, "scopes")} />
        <ExpiryChoice
          periods={PERIODS}
          expiry={expiry}
          onChange={setExpiry}
          error={isDateMissing ? t("Choose a date.") : errorOf(create.error, "expires_at")}
        />
        {!needsPassword && <Outcome error={create.error} fields={["name", "scopes", "expires_at"]} />}
        <button type="submit" className="button" disabled={create.isPending}>
          {t("Create a token")}
        </button>
      </form>
      {needsPassword && variables && <ConfirmPassword onConfirmed={() => send(variables)} onClose={create.reset} />}
    </>
  );
}

type ScopeProps = { chosen: Scope[]; onChange: (scopes: Scope[]) => void; error: string | undefined };

function ScopeChoice({ chosen, onChange, error }: ScopeProps) {
  const texts: [Scope, string][] = [
    ["read", t("Read everything in your account")],
    ["write", t("Create, change and delete")],
    ["act_as", t("Act for users of your own service (for back ends)")],
  ];
  const toggle = (scope: Scope, isOn: boolean) =>
    onChange(isOn ? [...chosen, scope] : chosen.filter((other) => other !== scope));
  return (
    <fieldset className="field">
      <legend>{t("Scopes")}</legend>
      {texts.map(([scope, text]) => (
        <label key={scope} className="check">
          <input
            type="checkbox"
            checked={chosen.includes(scope)}
            onChange={(event) => toggle(scope, event.target.checked)}
          />
          <span>
            <code>{scope}</code> {text}
          </span>
        </label>
      ))}
      {error && (
        <p className="error-text" role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
