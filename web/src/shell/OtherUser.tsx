import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { queryClient } from "../api/queryClient";
import { t } from "../i18n";
import { rescueFocus } from "../ui/focus";

/**
 * Says that another user has signed in, in the place of the first user's page. The link loads the app again, so nothing
 * of the first user stays in the memory.
 */
export function OtherUser() {
  const navigate = useNavigate();
  useEffect(() => {
    queryClient.clear();
    void navigate({ to: "/app", replace: true }); // the address can contain a search
    rescueFocus();
  }, [navigate]);
  return (
    <main id="main" tabIndex={-1} className="empty-page">
      <h1>{t("Another user is signed in")}</h1>
      <p>{t("Another user has signed in with this browser, so this page can read and store nothing.")}</p>
      <p>
        <a className="button" href="/app/">
          {t("Open the page of this user")}
        </a>
      </p>
    </main>
  );
}
