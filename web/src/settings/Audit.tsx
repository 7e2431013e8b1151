import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type AuditEvent, auditQuery } from "../api/account";
import { formatTime, t } from "../i18n";
import { explain } from "../ui/explain";

/** The actions of staff on the conversations of the user. The server does not name the members of the staff. */
export function Audit() {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(auditQuery);
  const events = data?.pages.flatMap((page) => page.results);
  return (
    <section className="settings-block" aria-labelledby="audit-title">
      <h3 id="audit-title">{t("What staff did with your conversations")}</h3>
      <p className="soft">{t("Newest first. The names of staff are not shown.")}</p>
      {error && <p className="error-text">{explain(error)}</p>}
      {events?.length === 0 && <p>{t("Staff did nothing with your conversations.")}</p>}
      <ul className="entries">
        {events?.map((event) => (
          <AuditRow key={event.id} event={event} />
        ))}
      </ul>
      {hasNextPage && (
        <button
          type="button"
          className="button secondary"
          disabled={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {t("Show more")}
        </button>
      )}
    </section>
  );
}

function AuditRow({ event }: { event: AuditEvent }) {
  return (
    <li className="entry">
      <div>
        <strong>{actionOf(event.action)}</strong>{" "}
        {event.conversation_id && (
          <Link to="/app/c/$conversationId" params={{ conversationId: event.conversation_id }}>
            {t("Conversation")}
          </Link>
        )}
        {event.reason && <p dir="auto">{event.reason}</p>}
      </div>
      <time className="soft" dateTime={event.at}>
        {formatTime(event.at)}
      </time>
    </li>
  );
}

function actionOf(action: string): string {
  const texts: Record<string, string> = {
    read_transcript: t("A transcript was read"),
    read_message: t("A message was read"),
    export: t("Conversations were exported"),
    change: t("Something was changed"),
    trash: t("Something was moved to the trash"),
    restore: t("Something was restored"),
    delete: t("Something was deleted permanently"),
    end_shares: t("Shared links were revoked"),
  };
  return texts[action] ?? action;
}
