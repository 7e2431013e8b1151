import { setSignedOut, useSignedOut } from "../api/session";
import { goOn } from "../chat/signIn";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";

/** Asks the user to sign in again when the session has ended. The page stays, so nothing that was typed is lost. */
export function SignedOutDialog() {
  if (!useSignedOut()) return null;
  return (
    <Dialog title={t("You are signed out")} onClose={() => setSignedOut(false)}>
      <p>{t("Your session has ended. Sign in again in a new tab, then go on here. Your text is kept.")}</p>
      <p className="actions">
        <a className="button" href="/accounts/login/" target="_blank" rel="noreferrer">
          {t("Sign in")}
        </a>
        <button type="button" className="button secondary" onClick={goOn}>
          {t("I have signed in")}
        </button>
      </p>
    </Dialog>
  );
}
