import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { confirmPassword, meQuery } from "../api/account";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { Outcome } from "./Field";
import { PasswordField } from "./PasswordField";

type Props = { onConfirmed: () => void; onClose: () => void };

/** Asks for the password before an action that needs a recent sign-in. */
export function ConfirmPassword({ onConfirmed, onClose }: Props) {
  const { data: me } = useQuery(meQuery);
  return (
    <Dialog title={t("Confirm that it is you")} onClose={onClose}>
      <p>{t("Your last sign-in was more than five minutes ago.")}</p>
      {me?.has_password ? <PasswordForm onConfirmed={onConfirmed} onClose={onClose} /> : <SignInAgain />}
    </Dialog>
  );
}

function PasswordForm({ onConfirmed, onClose }: Props) {
  const [password, setPassword] = useState("");
  const confirm = useMutation({ mutationFn: confirmPassword, onSuccess: onConfirmed });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate(password);
  };
  return (
    <form onSubmit={submit} noValidate>
      <PasswordField value={password} onChange={setPassword} error={confirm.error} />
      <Outcome error={confirm.error} fields={["password"]} />
      <p className="actions">
        <button type="submit" className="button" disabled={confirm.isPending}>
          {t("Confirm")}
        </button>
        <button type="button" className="button secondary" onClick={onClose}>
          {t("Cancel")}
        </button>
      </p>
    </form>
  );
}

/** For accounts without a password, whose users sign in with an identity provider or a passkey. */
function SignInAgain() {
  return (
    <>
      <p>{t("Sign out and sign in again. Then you can do this within five minutes.")}</p>
      <p className="actions">
        <a className="button" href="/accounts/logout/">
          {t("Sign out")}
        </a>
      </p>
    </>
  );
}
