import type { Message } from "../api/messages";
import { useToggleReaction } from "../api/reactions";
import { formatExactTime, formatNumber, formatTime, t } from "../i18n";
import { IconButton } from "../ui/IconButton";
import { CopyButton } from "./CopyButton";
import "./content.css";

/** The part of the row below a message that needs no conversation: copy, reactions, time, model, tokens. */
export function MessageTools({ message }: { message: Message }) {
  const isReply = message.role === "assistant";
  return (
    <>
      {message.content && <CopyButton text={message.content} label={t("Copy")} />}
      {isReply && message.status !== "in_progress" && <Reactions message={message} />}
      <Facts message={message} />
    </>
  );
}

function Reactions({ message }: { message: Message }) {
  const toggle = useToggleReaction(message);
  return (
    <>
      <IconButton
        icon="thumbsUp"
        label={t("Good reply")}
        aria-pressed={message.reactions.includes("thumbs_up")}
        onClick={() => toggle("thumbs_up")}
      />
      <IconButton
        icon="thumbsDown"
        label={t("Bad reply")}
        aria-pressed={message.reactions.includes("thumbs_down")}
        onClick={() => toggle("thumbs_down")}
      />
    </>
  );
}

/** When a message was written, by which model, and what it used. */
function Facts({ message }: { message: Message }) {
  const facts = [message.model, tokensOf(message), secondsOf(message)].filter(Boolean);
  return (
    <span className="message-facts">
      <time dateTime={message.created_at} title={formatExactTime(message.created_at)}>
        {formatTime(message.created_at)}
      </time>
      {facts.map((fact) => (
        <span key={fact}> · {fact}</span>
      ))}
    </span>
  );
}

function tokensOf({ prompt_tokens, completion_tokens }: Message): string {
  if (typeof completion_tokens !== "number") return "";
  const written = formatNumber(completion_tokens);
  if (typeof prompt_tokens !== "number") return t("{{written}} tokens", { written });
  return t("{{read}} → {{written}} tokens", { read: formatNumber(prompt_tokens), written });
}

function secondsOf({ metadata }: Message): string {
  const milliseconds = (metadata as { duration_ms?: unknown } | undefined)?.duration_ms;
  if (typeof milliseconds !== "number") return "";
  return t("{{seconds}} s", { seconds: formatNumber(Math.round(milliseconds / 100) / 10) });
}
