import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { confirmPassword } from "../api/account";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { Outcome } from "./Field";
import { PasswordField } from "./PasswordField";

type Props = { onConfirmed: () => void; onClose: () => void };

/** Asks for the password before an action that needs a recent sign-in. */
export function ConfirmPassword({ onConfirmed, onClose }: Props) {
  const [password, setPassword] = useState("");
  const confirm = useMutation({ mutationFn: confirmPassword, onSuccess: onConfirmed });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate(password);
  };
  return (
    <Dialog title={t("Confirm that it is you")} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <p>{t("Your last sign-in was more than five minutes ago. Enter your password to continue.")}</p>
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
        <p className="soft">
          {t("Do you have no password?")} <a href="/accounts/logout/">{t("Sign out, and sign in again.")}</a>{" "}
          {t("Then you can do it within five minutes.")}
        </p>
      </form>
    </Dialog>
  );
}
