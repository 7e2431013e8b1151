import { type FormEvent, type KeyboardEvent, useState } from "react";
import type { Message } from "../api/messages";
import { t } from "../i18n";
import { askEdited } from "./actions";
import { isSendKey } from "./keys";

type Props = { message: Message; onEnd: () => void };

/** Edits a question in place. Saving asks the edited question as a branch; the old one stays. */
export function EditForm({ message, onEnd }: Props) {
  const before = message.content ?? "";
  const [text, setText] = useState(before);
  const save = () => {
    if (!text.trim()) return;
    onEnd();
    if (text !== before) askEdited(message, text);
  };
  const handleKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") onEnd();
    else if (!isSendKey(event)) return;
    else save();
    event.preventDefault();
  };
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    save();
  };
  return (
    <form className="edit-form" onSubmit={handleSubmit}>
      <textarea
        // biome-ignore lint/a11y/noAutofocus: the user has just asked to edit this text
        autoFocus
        dir="auto"
        aria-label={t("Edit the message")}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onFocus={(event) => event.target.setSelectionRange(text.length, text.length)}
        onKeyDown={handleKey}
      />
      <div className="actions">
        <button type="button" className="button secondary" onClick={onEnd}>
          {t("Cancel")}
        </button>
        <button type="submit" className="button" disabled={!text.trim()}>
          {t("Send")}
        </button>
      </div>
    </form>
  );
}
