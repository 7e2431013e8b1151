import { type FormEvent, useState } from "react";
import type { Conversation } from "../api/conversations";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { rename } from "./actions";

export function RenameDialog({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const [title, setTitle] = useState(conversation.title ?? "");
  const save = (event: FormEvent) => {
    event.preventDefault();
    onClose();
    void rename(conversation, title.trim());
  };
  return (
    <Dialog title={t("Rename the conversation")} onClose={onClose}>
      <form onSubmit={save} className="dialog-form">
        <input
          aria-label={t("Title")}
          dir="auto"
          maxLength={500}
          value={title}
          onFocus={(event) => event.target.select()}
          onChange={(event) => setTitle(event.target.value)}
        />
        <p className="actions">
          <button type="submit" className="button" disabled={!title.trim()}>
            {t("Save")}
          </button>
          <button type="button" className="button secondary" onClick={onClose}>
            {t("Cancel")}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
