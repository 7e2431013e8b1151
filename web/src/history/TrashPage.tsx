import { useQuery } from "@tanstack/react-query";
import { serviceQuery } from "../api/account";
import { t } from "../i18n";
import { ArchiveTrashList } from "./ArchiveTrashList";

export function TrashPage() {
  const { data: service } = useQuery({ ...serviceQuery, retry: false });
  return (
    <div className="page">
      <h1>{t("Trash")}</h1>
      {service && (
        <p className="soft">
          {t("Conversations are deleted permanently {{count}} days after they were moved here.", {
            count: service.trash_days,
            defaultValue_one: "Conversations are deleted permanently one day after they were moved here.",
          })}
        </p>
      )}
      <ArchiveTrashList filters={{ trashed: "true" }} back="restore" emptyText={t("The trash is empty.")} />
    </div>
  );
}
