import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { meQuery, serviceQuery } from "../api/account";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";

/** The foot of the sidebar: the archive, the trash, the settings, and the user. */
export function AccountLinks() {
  const { data: me } = useQuery(meQuery);
  const { data: service } = useQuery(serviceQuery);
  return (
    <div className="sidebar-foot">
      <div className="foot-links">
        <Link
          to="/app/archive"
          className="icon-button"
          aria-label={t("Archived conversations")}
          title={t("Archived conversations")}
        >
          <Icon name="archive" />
        </Link>
        <Link to="/app/trash" className="icon-button" aria-label={t("Trash")} title={t("Trash")}>
          <Icon name="trash" />
        </Link>
        <Link
          to="/app/settings/$section"
          params={{ section: "general" }}
          className="icon-button"
          aria-label={t("Settings")}
          title={t("Settings")}
        >
          <Icon name="settings" />
        </Link>
        {me?.is_staff && (
          <a href="/admin/" className="icon-button" aria-label={t("Administration")} title={t("Administration")}>
            <Icon name="shield" />
          </a>
        )}
      </div>
      {me && (
        <form method="post" action="/accounts/logout/" className="foot-user">
          <span dir="auto" title={me.email ?? undefined}>
            {me.name || me.email}
          </span>
          {!service?.single_user && (
            <button type="submit" className="icon-button" aria-label={t("Sign out")} title={t("Sign out")}>
              <Icon name="signOut" />
            </button>
          )}
        </form>
      )}
    </div>
  );
}
