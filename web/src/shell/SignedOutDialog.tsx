import { setSession, useSession } from "../api/session";
import { continueSession } from "../chat/signIn";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";

/** Says that the session has ended, or that it is another user's by now. */
export function SignedOutDialog() {
  const session = useSession();
  if (session === "valid") return null;
  return session === "ended" ? <SignInAgain /> : <OtherUser />;
}

const close = () => setSession("valid");

/** Asks the user to sign in again. The page stays, so nothing that was typed is lost. */
function SignInAgain() {
  return (
    <Dialog title={t("You are signed out")} onClose={close}>
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

/** Offers the page of the user who is signed in. Nothing of the user before stays in the memory of the new page. */
function OtherUser() {
  return (
    <Dialog title={t("Another user is signed in")} onClose={close}>
      <p>{t("Another user has signed in with this browser, so this page can read and store nothing.")}</p>
      <p className="actions">
        <a className="button" href="/app/">
          {t("Open the page of this user")}
        </a>
      </p>
    </Dialog>
  );
}
