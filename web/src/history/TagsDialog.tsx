import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { type Conversation, changeConversation } from "../api/conversations";
import { labelsQuery } from "../api/labels";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { explain } from "../ui/explain";
import { Icon } from "../ui/Icon";
import { showToast } from "../ui/toasts";
import { act } from "./actions";

const MOST_TAGS = 50;
const MAX_LENGTH = 100;

type Props = { conversations: Conversation[]; onClose: () => void };

/** Changes the tags of one conversation, or adds tags to several. The existing tags are suggested. */
export function TagsDialog({ conversations, onClose }: Props) {
  const [only] = conversations.length === 1 ? conversations : [];
  const [tags, setTags] = useState(only?.tags ?? []);
  const isFull = tags.length >= MOST_TAGS;
  const add = (tag: string) => tag && !tags.includes(tag) && !isFull && setTags([...tags, tag]);
  const save = async () => {
    onClose();
    if (only) await changeConversation(only.id, { tags }).catch((error: unknown) => showToast(explain(error)));
    else for (const tag of tags) await act(conversations, "add_tag", tag);
  };
  return (
    <Dialog title={only ? t("Tags") : t("Add tags")} onClose={onClose}>
      <ul className="chips" aria-label={t("Chosen tags")}>
        {tags.map((tag) => (
          <li key={tag}>
            <button
              type="button"
              className="chip chosen"
              aria-label={t("Remove “{{tag}}”", { tag })}
              onClick={() => setTags(tags.filter((name) => name !== tag))}
            >
              <span dir="auto">{tag}</span> <Icon name="close" />
            </button>
          </li>
        ))}
        {tags.length === 0 && <li className="soft">{t("No tags yet")}</li>}
      </ul>
      <NewTag onAdd={add} isFull={isFull} />
      <Suggestions chosen={tags} onAdd={add} />
      <p className="actions">
        <button type="button" className="button" onClick={() => void save()}>
          {t("Save")}
        </button>
        <button type="button" className="button secondary" onClick={onClose}>
          {t("Cancel")}
        </button>
      </p>
    </Dialog>
  );
}

function NewTag({ onAdd, isFull }: { onAdd: (tag: string) => void; isFull: boolean }) {
  const [text, setText] = useState("");
  const hintId = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAdd(text.trim());
    setText("");
  };
  return (
    <form onSubmit={submit} className="new-tag">
      <input
        aria-label={t("New tag")}
        aria-describedby={isFull ? hintId : undefined}
        placeholder={t("New tag")}
        dir="auto"
        maxLength={MAX_LENGTH}
        disabled={isFull}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="button secondary" disabled={!text.trim()}>
        {t("Add")}
      </button>
      {isFull && (
        <span id={hintId} className="soft">
          {t("A conversation can have {{most}} tags.", { most: MOST_TAGS })}
        </span>
      )}
    </form>
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
