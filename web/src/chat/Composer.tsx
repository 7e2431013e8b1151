import { type KeyboardEvent, type MouseEvent, type RefObject, useEffect, useLayoutEffect, useRef } from "react";
import type { Conversation } from "../api/conversations";
import { t } from "../i18n";
import { IconButton } from "../ui/IconButton";
import { changeDraft, draftKey, readDraft, useDraft } from "./drafts";
import { isSendKey } from "./keys";
import { ModelPicker } from "./ModelPicker";
import { SystemPrompt } from "./SystemPrompt";

type Props = {
  userId: string;
  conversation: Conversation | undefined;
  conversationId: string | null;
  /** The app was loading when this page was opened, and the sidebar may have been shown already. */
  wasLoading: boolean;
  onSend: (text: string) => void;
  /** Stops the reply under way; null if there is none. */
  stop: (() => void) | null;
};

export function Composer({ userId, conversation, conversationId, wasLoading, onSend, stop }: Props) {
  const key = draftKey(userId, conversationId);
  const { text, error } = useDraft(key);
  const field = useFocus(conversationId, wasLoading);
  const send = () => {
    // Read the draft again: a second click can come before the component is rendered.
    const { text: typed } = readDraft(key);
    if (!typed.trim() || stop) return;
    changeDraft(key, { text: "", error: "" });
    onSend(typed);
    field.current?.focus();
  };
  const handleKey = (event: KeyboardEvent) => {
    if (!isSendKey(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <div className="composer">
      {error && (
        <p className="composer-error error-text" role="alert">
          {error}
        </p>
      )}
      <div className="composer-box">
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          aria-label={t("Message")}
          placeholder={t("Write a message")}
          value={text}
          onChange={(event) => changeDraft(key, { text: event.target.value, error: "" })}
          onKeyDown={handleKey}
        />
        <div className="composer-bar">
          <SystemPrompt conversation={conversation} draftKey={key} />
          <ModelPicker conversation={conversation} draftKey={key} />
          {stop ? (
            <StopButton stop={stop} field={field} />
          ) : (
            <IconButton icon="send" label={t("Send")} className="send" disabled={!text.trim()} onClick={send} />
          )}
        </div>
      </div>
    </div>
  );
}

type StopProps = { stop: () => void; field: RefObject<HTMLTextAreaElement | null> };

/** Stops the reply. If somebody who uses the keyboard is on it when it disappears, the field gets the focus. */
function StopButton({ stop, field }: StopProps) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const element = button.current;
    return () => {
      if (element?.matches(":focus-visible")) field.current?.focus();
    };
  }, [field]);
  // The second click of a double click on "Send" must not stop the reply that the first one has asked for.
  const handleClick = (event: MouseEvent) => event.detail < 2 && stop();
  return <IconButton ref={button} icon="stop" label={t("Stop")} className="send stop" onClick={handleClick} />;
}

/**
 * Focus the field when the page is opened, but not on a phone, where the keyboard would cover the messages. If the user
 * has focused something while the app was loading, such as a menu of the sidebar, it keeps the focus.
 */
function useFocus(conversationId: string | null, wasLoading: boolean) {
  const field = useRef<HTMLTextAreaElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation is another page
  useEffect(() => {
    const isTaken = wasLoading && document.activeElement !== document.body;
    if (!isTaken && !window.matchMedia("(pointer: coarse)").matches) field.current?.focus();
  }, [conversationId]);
  return field;
}
