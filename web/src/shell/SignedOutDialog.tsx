import { setSession, useSession } from "../api/session";
import { continueSession } from "../chat/signIn";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";

/** Asks the user to sign in again after the session has ended. The page stays, so nothing that was typed is lost. */
export function SignedOutDialog() {
  if (useSession() !== "ended") return null;
  return (
    <Dialog title={t("You are signed out")} onClose={() => setSession("valid")}>
      <p>{t("Your session has ended. Sign in again in a new tab, then continue here. Your text is kept.")}</p>
      <p className="actions">
        <a className="button" href="/accounts/login/" target="_blank" rel="noreferrer">
          {t("Sign in")}
        </a>
        <button type="button" className="button secondary" onClick={continueSession}>
          {t("I have signed in")}
        </button>
      </p>
    </Dialog>
  );
}
