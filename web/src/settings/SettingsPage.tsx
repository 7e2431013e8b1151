/** The settings: a list of sections, and the one that the address names. */

import { Link, useParams } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { t } from "../i18n";
import { NotFound } from "../shell/NotFound";
import { useDocumentTitle } from "../ui/documentTitle";
import { Icon, type IconName } from "../ui/Icon";
import { Account } from "./Account";
import { Data } from "./Data";
import { General } from "./General";
import { Shares } from "./Shares";
import { Tokens } from "./Tokens";
import { Usage } from "./Usage";
import "./settings.css";

type Section = { name: string; title: string; icon: IconName; Content: ComponentType };

/** List the sections. Their addresses are /app/settings/<name>. */
function sections(): Section[] {
  return [
    { name: "general", title: t("General"), icon: "settings", Content: General },
    { name: "account", title: t("Account"), icon: "user", Content: Account },
    { name: "tokens", title: t("API tokens"), icon: "key", Content: Tokens },
    { name: "shares", title: t("Shared links"), icon: "share", Content: Shares },
    { name: "usage", title: t("Usage"), icon: "chart", Content: Usage },
    { name: "data", title: t("Data"), icon: "download", Content: Data },
  ];
}

export function SettingsPage() {
  const { section: name } = useParams({ from: "/app/settings/$section" });
  const section = sections().find((section) => section.name === name);
  useDocumentTitle(section?.title ?? t("Settings"));
  if (!section) return <NotFound />;
  return (
    <div className="settings">
      <nav className="settings-nav" aria-label={t("Settings")}>
        <h1>{t("Settings")}</h1>
        <ul>
          {sections().map(({ name, title, icon }) => (
            <li key={name}>
              <Link to="/app/settings/$section" params={{ section: name }} activeProps={{ "aria-current": "page" }}>
                <Icon name={icon} />
                {title}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <section className="settings-section" aria-labelledby="settings-title">
        <h2 id="settings-title">{section.title}</h2>
        <section.Content key={section.name} />
      </section>
    </div>
  );
}
