import { Link } from "@tanstack/react-router";
import { t } from "../i18n";

export function NotFound() {
  return (
    <main className="empty-page">
      <h1>{t("This page does not exist")}</h1>
      <p>
        <Link to="/app">{t("Start a conversation")}</Link>
      </p>
    </main>
  );
}
