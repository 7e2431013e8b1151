import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type Conversation, changeConversation } from "../api/conversations";
import { labelsQuery } from "../api/labels";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { explain } from "../ui/explain";
import { Icon } from "../ui/Icon";
import { showToast } from "../ui/toastState";
import { act } from "./actions";

const MOST_TAGS = 50;
const MAX_LENGTH = 100;

type Props = { conversations: Conversation[]; onClose: () => void };

/** Changes the tags of one conversation, or adds tags to several. The existing tags are suggested. */
export function TagsDialog({ conversations, onClose }: Props) {
  const [only] = conversations.length === 1 ? conversations : [];
  const [tags, setTags] = useState(only?.tags ?? []);
  const [text, setText] = useState("");
  const isFull = tags.length >= MOST_TAGS;
  const add = (tag: string) => setTags((before) => (isFull ? before : withTag(before, tag)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) {
      add(text);
      setText("");
      return;
    }
    onClose();
    void save(conversations, tags);
  };
  return (
    <Dialog title={only ? t("Tags") : t("Add tags")} onClose={onClose}>
      <form onSubmit={submit} className="dialog-form">
        <ChosenTags tags={tags} onRemove={(tag) => setTags(tags.filter((name) => name !== tag))} />
        <NewTag text={text} onChange={setText} isFull={isFull} />
        <Suggestions chosen={tags} onAdd={add} />
        <p className="actions">
          <button type="submit" className="button">
            {text.trim() ? t("Add the tag") : t("Save")}
          </button>
          <button type="button" className="button secondary" onClick={onClose}>
            {t("Cancel")}
          </button>
        </p>
      </form>
    </Dialog>
  );
}

function withTag(tags: string[], text: string): string[] {
  const tag = text.trim();
  return !tag || tags.includes(tag) ? tags : [...tags, tag];
}

async function save(conversations: Conversation[], tags: string[]): Promise<void> {
  const [first] = conversations;
  if (conversations.length === 1 && first) {
    await changeConversation(first.id, { tags }).catch((error: unknown) => showToast(explain(error)));
  } else {
    for (const tag of tags) await act(conversations, "add_tag", { tag });
  }
}

function ChosenTags({ tags, onRemove }: { tags: string[]; onRemove: (tag: string) => void }) {
  if (tags.length === 0) return <p className="soft">{t("No tags yet")}</p>;
  return (
    <ul className="chips" aria-label={t("Chosen tags")}>
      {tags.map((tag) => (
        <li key={tag}>
          <button
            type="button"
            className="chip chosen"
            aria-label={t("Remove “{{tag}}”", { tag })}
            onClick={() => onRemove(tag)}
          >
            <span dir="auto">{tag}</span> <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}

type NewTagProps = { text: string; onChange: (text: string) => void; isFull: boolean };

function NewTag({ text, onChange, isFull }: NewTagProps) {
  if (isFull) return <p className="soft">{t("A conversation can have {{most}} tags.", { most: MOST_TAGS })}</p>;
  return (
    <input
      aria-label={t("New tag")}
      placeholder={t("New tag")}
      dir="auto"
      maxLength={MAX_LENGTH}
      value={text}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Suggestions({ chosen, onAdd }: { chosen: string[]; onAdd: (tag: string) => void }) {
  const { data } = useQuery(labelsQuery);
  const names = data?.tags.map(({ name }) => name).filter((name) => !chosen.includes(name)) ?? [];
  if (names.length === 0) return null;
  return (
    <>
      <h3 className="section-title">{t("Tags that you use")}</h3>
      <ul className="chips suggestions">
        {names.map((name) => (
          <li key={name}>
            <button type="button" className="chip" onClick={() => onAdd(name)}>
              <span dir="auto">{name}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
