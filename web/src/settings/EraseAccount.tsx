import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { eraseAccount, type Me, meQuery } from "../api/account";
import { ApiError } from "../api/client";
import { forgetUser } from "../chat/forgetUser";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { Field, Outcome } from "./Field";
import { PasswordField } from "./PasswordField";

export function EraseAccount() {
  const { data: me } = useQuery(meQuery);
  const [isOpen, setOpen] = useState(false);
  if (!me) return null;
  return (
    <section className="settings-block" aria-labelledby="erase-title">
      <h3 id="erase-title">{t("Erase the account")}</h3>
      {me.is_staff ? (
        <p>
          {t(
            "You are a member of the staff. A superuser must remove your staff rights before you can erase your account.",
          )}
        </p>
      ) : (
        <>
          <p>
            {t(
              "This deletes your account and everything in it permanently. Export your data first if you want to keep it.",
            )}
          </p>
          <button type="button" className="button danger" onClick={() => setOpen(true)}>
            {t("Erase the account…")}
          </button>
        </>
      )}
      {isOpen && <EraseDialog me={me} onClose={() => setOpen(false)} />}
    </section>
  );
}

function EraseDialog({ me, onClose }: { me: Me; onClose: () => void }) {
  const email = me.email ?? "";
  const [typed, setTyped] = useState("");
  const [password, setPassword] = useState("");
  const [isOther, setOther] = useState(false);
  const leave = () => {
    forgetUser(me.id);
    window.location.replace("/");
  };
  const erase = useMutation({ mutationFn: eraseAccount, onSuccess: leave });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const isSame = typed.trim().toLowerCase() === email.toLowerCase();
    setOther(!isSame);
    if (isSame) erase.mutate(password);
  };
  return (
    <Dialog title={t("Erase the account?")} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <p>{t("These are deleted permanently. Nobody can restore them:")}</p>
        <ul>
          <li>{t("all conversations and messages, even those in the archive and the trash")}</li>
          <li>{t("settings, links and API tokens; links, and programs that use tokens, stop working")}</li>
          <li>{t("your sign-in; you are signed out everywhere")}</li>
        </ul>
        <Field
          label={t("Type {{email}} to confirm", { email })}
          error={isOther ? t("This is not the address of your account.") : undefined}
        >
          {(control) => (
            <input
              {...control}
              type="email"
              autoComplete="off"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
        {me.has_password && <PasswordField value={password} onChange={setPassword} error={erase.error} />}
        <Outcome error={erase.error} fields={me.has_password ? ["password"] : []} />
        {erase.error instanceof ApiError && erase.error.code === "on_hold" && (
          <p>{t("The operator must keep your data for legal reasons. Nothing was erased. Ask the operator.")}</p>
        )}
        <p className="actions">
          <button type="submit" className="button danger" disabled={erase.isPending || erase.isSuccess}>
            {t("Erase permanently")}
          </button>
          <button type="button" className="button secondary" onClick={onClose}>
            {t("Cancel")}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
