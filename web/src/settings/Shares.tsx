import { t } from "../i18n";
import { ShareList } from "../sharing/ShareList";

/** All links of the user. */
export function Shares() {
  return (
    <section className="settings-block" aria-labelledby="shares-title">
      <h3 id="shares-title">{t("Your links")}</h3>
      <p className="soft">
        {t(
          "Everyone who has a link can read its copy of the conversation. A link does not work while its conversation is in the trash.",
        )}
      </p>
      <ShareList />
    </section>
  );
}
