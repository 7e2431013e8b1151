import { type KeyboardEvent, type MouseEvent, useEffect, useRef } from "react";
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
          <SendButton send={send} stop={stop} isEmpty={!text.trim()} focusField={() => field.current?.focus()} />
        </div>
      </div>
    </div>
  );
}

type SendProps = { send: () => void; stop: (() => void) | null; isEmpty: boolean; focusField: () => void };

function SendButton({ send, stop, isEmpty, focusField }: SendProps) {
  if (!stop) return <IconButton icon="send" label={t("Send")} className="send" disabled={isEmpty} onClick={send} />;
  const handleClick = ({ detail: clicks }: MouseEvent) => {
    // The second click of a double click on "Send" must not stop the reply that the first one has asked for.
    if (clicks < 2) stop();
    // Pressed with the keyboard. The button becomes "Send", which cannot have the focus while the field is empty.
    if (clicks === 0) focusField();
  };
  return <IconButton icon="stop" label={t("Stop")} className="send stop" onClick={handleClick} />;
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
