import { t } from "../i18n";
import { ArchiveTrashList } from "./ArchiveTrashList";

export function ArchivePage() {
  return (
    <div className="page">
      <h1>{t("Archived conversations")}</h1>
      <p className="soft">
        {t("Archived conversations are kept, and search finds them. They are not in the sidebar.")}
      </p>
      <ArchiveTrashList filters={{ archived: "true" }} back="unarchive" emptyText={t("The archive is empty.")} />
    </div>
  );
}
