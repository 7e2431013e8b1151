import { type FormEvent, useState } from "react";
import { type Conversation, changeConversation } from "../api/conversations";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { explain } from "../ui/explain";
import { IconButton } from "../ui/IconButton";
import { changeDraft, useDraft } from "./drafts";

type Props = { conversation: Conversation | undefined; draftKey: string };

/** The button of the system prompt, and its dialog. */
export function SystemPrompt({ conversation, draftKey }: Props) {
  const [isOpen, setOpen] = useState(false);
  const draft = useDraft(draftKey);
  const stored = (conversation ? conversation.model_options?.system_prompt : draft.systemPrompt) ?? "";
  const save = async (text: string) => {
    if (!conversation) return changeDraft(draftKey, { systemPrompt: text });
    const model_options = { ...conversation.model_options, system_prompt: text || null };
    await changeConversation(conversation.id, { model_options });
  };
  return (
    <>
      <IconButton
        icon="settings"
        label={t("System prompt")}
        data-set={Boolean(stored) || undefined}
        onClick={() => setOpen(true)}
      />
      {isOpen && <SystemPromptDialog stored={stored} save={save} onClose={() => setOpen(false)} />}
    </>
  );
}

type DialogProps = { stored: string; save: (text: string) => Promise<void>; onClose: () => void };

function SystemPromptDialog({ stored, save, onClose }: DialogProps) {
  const [text, setText] = useState(stored);
  const [error, setError] = useState("");
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    save(text.trim()).then(onClose, (reason: unknown) => setError(explain(reason)));
  };
  return (
    <Dialog title={t("System prompt")} onClose={onClose}>
      <form className="system-prompt" onSubmit={handleSubmit}>
        <p className="soft">{t("The model gets this text before each question of this conversation.")}</p>
        <textarea
          dir="auto"
          rows={8}
          aria-label={t("System prompt")}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {error && (
          <p className="error-text" role="alert">
            {error}
          </p>
        )}
        <div className="actions">
          <button type="submit" className="button">
            {t("Save")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
