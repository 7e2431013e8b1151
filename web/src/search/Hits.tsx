import { Link } from "@tanstack/react-router";
import type { Hit, TitleHit } from "../api/search";
import { speakerOf } from "../chat/speakers";
import { formatTime, language, t } from "../i18n";
import { Icon } from "../ui/Icon";
import { Snippet } from "./Snippet";

export function TitleHitLink({ title }: { title: TitleHit }) {
  return (
    <li>
      <Link className="hit" to="/app/c/$conversationId" params={{ conversationId: title.conversation_id }}>
        <span className="hit-head">
          <strong dir="auto">{title.title ? <Snippet html={title.snippet} /> : t("Untitled")}</strong>
          <HitTime time={title.active_at} />
        </span>
      </Link>
    </li>
  );
}

/** A message that matches. The link leads to it, also if it is on another branch. */
export function MessageHit({ hit }: { hit: Hit }) {
  return (
    <li>
      <Link
        className="hit"
        to="/app/c/$conversationId"
        params={{ conversationId: hit.conversation_id }}
        search={{ message: hit.message_id }}
      >
        <span className="hit-head">
          <strong dir="auto">{hit.conversation_title || t("Untitled")}</strong>
          <HitTime time={hit.created_at} />
        </span>
        <span className="hit-snippet" dir="auto">
          <Snippet html={hit.snippet} />
        </span>
        <span className="hit-foot soft">
          <span>{speakerOf(hit)}</span>
          {!hit.is_active && (
            <span className="other-branch">
              <Icon name="branch" /> {t("On another branch")}
            </span>
          )}
        </span>
      </Link>
    </li>
  );
}

function HitTime({ time }: { time: string }) {
  return (
    <time className="soft" dateTime={time} title={new Date(time).toLocaleString(language())}>
      {formatTime(time)}
    </time>
  );
}
