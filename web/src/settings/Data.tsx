import { useQuery } from "@tanstack/react-query";
import { serviceQuery } from "../api/account";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";
import { Audit } from "./Audit";
import { EraseAccount } from "./EraseAccount";

export function Data() {
  const { data: service } = useQuery({ ...serviceQuery, retry: false });
  return (
    <>
      <section className="settings-block" aria-labelledby="export-title">
        <h3 id="export-title">{t("Export")}</h3>
        <p>
          {t(
            "A ZIP file with your account and all your conversations, with every branch. It includes the archive and the trash.",
          )}
        </p>
        <a className="button secondary" href="/api/v1/me/export/" download>
          <Icon name="download" />
          {t("Download everything")}
        </a>
      </section>
      {service?.audit_shown && <Audit />}
      <EraseAccount />
    </>
  );
}
