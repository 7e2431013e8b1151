import { useQuery } from "@tanstack/react-query";
import { type Service, serviceQuery } from "../api/account";
import { formatNumber, t } from "../i18n";

/** The settings of the operator that a user should know: what is kept, for how long, and how much fits. */
export function ServiceFacts() {
  const { data: service } = useQuery(serviceQuery);
  if (!service) return null;
  return (
    <section className="settings-block" aria-labelledby="service-title">
      <h3 id="service-title">{t("Set by the operator")}</h3>
      <dl className="facts">
        {facts(service).map(([term, text]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function facts(service: Service): [string, string][] {
  const byTag = Object.entries(service.retention_days_by_tag);
  return [
    [t("Number of conversations"), keeping(service.keep_conversations)],
    [t("Old conversations"), retention(service.retention_days)],
    ...byTag.map(([tag, days]): [string, string] => [
      t("Old conversations with the tag “{{tag}}”", { tag }),
      retention(days),
    ]),
    [t("Trash"), emptying(service.trash_days)],
    [t("Longest message"), t("{{size}} MB of text", { size: formatNumber(service.content_limit / 1e6) })],
    [t("API version"), service.version],
  ];
}

function keeping(count: number): string {
  if (!count) return t("No limit");
  return t(
    "At most {{number}}. A new conversation moves the oldest ones to the trash, except pinned and archived ones.",
    {
      number: formatNumber(count),
    },
  );
}

function emptying(count: number): string {
  return t("Deleted permanently after {{count}} days in the trash", {
    count,
    defaultValue_one: "Deleted permanently after a day in the trash",
  });
}

function retention(count: number): string {
  if (!count) return t("Kept until you delete them");
  return t("Moved to the trash {{count}} days after the last change", {
    count,
    defaultValue_one: "Moved to the trash a day after the last change",
  });
}
