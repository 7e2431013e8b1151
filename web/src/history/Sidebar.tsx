import { Link } from "@tanstack/react-router";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";
import "./sidebar.css";

export function Sidebar() {
  return (
    <nav className="sidebar" aria-label={t("Conversations")}>
      <Link to="/app" className="button">
        <Icon name="plus" /> {t("New conversation")}
      </Link>
    </nav>
  );
}
