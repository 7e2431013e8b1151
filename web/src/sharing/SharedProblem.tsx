import { ApiError } from "../api/client";
import { t } from "../i18n";
import { explain } from "../ui/explain";

type Props = { error: Error; retry: () => void };

/** Says why a shared conversation cannot be shown, and what the reader can do. */
export function SharedProblem({ error, retry }: Props) {
  const status = error instanceof ApiError ? error.status : 0;
  return (
    <main className="empty-page">
      {status === 401 ? <SignInFirst /> : status === 404 ? <Gone /> : <Failure error={error} retry={retry} />}
    </main>
  );
}

function SignInFirst() {
  const next = encodeURIComponent(window.location.pathname);
  return (
    <>
      <h1>{t("Sign in to read this conversation")}</h1>
      <p className="soft">{t("Its owner shares it only with people who have an account here.")}</p>
      <a className="button" href={`/accounts/login/?next=${next}`}>
        {t("Sign in")}
      </a>
    </>
  );
}

function Gone() {
  return (
    <>
      <h1>{t("This link does not work")}</h1>
      <p className="soft">{t("It does not exist, has expired, or was revoked.")}</p>
      <a href="/">{t("To the start page")}</a>
    </>
  );
}

function Failure({ error, retry }: Props) {
  return (
    <>
      <p className="error-text" role="alert">
        {explain(error)}
      </p>
      <button type="button" className="button secondary" onClick={retry}>
        {t("Try again")}
      </button>
    </>
  );
}
