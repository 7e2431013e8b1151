import { useQuery } from "@tanstack/react-query";
import { type DragEvent, useEffect, useState } from "react";
import type { Conversation } from "../api/conversations";
import { type Label, labelsQuery } from "../api/labels";
import { formatNumber, t } from "../i18n";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { act } from "./actions";
import { isDraggingConversations, readDragged } from "./dragged";
import type { LabelFilters } from "./Sidebar";

type Props = { labels: LabelFilters; onChange: (labels: LabelFilters) => void; loaded: Conversation[] };

/** The tags and notebooks. A click on one filters the list. A conversation that is dropped on a tag gets the tag. */
export function LabelFilter({ labels, onChange, loaded }: Props) {
  const { data } = useQuery(labelsQuery);
  const isDragging = useIsDragging();
  const [isOpen, setOpen] = useState(false);
  const chosen = [labels.tag, labels.notebook].filter(Boolean).join(", ");
  if (!data || (!chosen && data.tags.length + data.notebooks.length === 0)) return null;
  const drop = (tag: string, ids: string[]) =>
    void act(
      loaded.filter(({ id }) => ids.includes(id)),
      "add_tag",
      { tag },
    );
  const isShown = isOpen || isDragging;
  return (
    <div className="label-filter">
      <div className="sidebar-line">
        <button type="button" className="sidebar-action" aria-expanded={isShown} onClick={() => setOpen(!isOpen)}>
          <Icon name="tag" /> <span dir="auto">{chosen || t("Tags and notebooks")}</span>
          <Icon name={isShown ? "chevronDown" : "chevronRight"} />
        </button>
        {chosen && <IconButton icon="close" label={t("Show all conversations")} onClick={() => onChange({})} />}
      </div>
      {isShown && (
        <div className="label-lists">
          <LabelList
            title={t("Tags")}
            labels={data.tags}
            chosen={labels.tag}
            onChoose={(tag) => onChange(withLabel(labels, "tag", tag))}
            onDrop={drop}
          />
          <LabelList
            title={t("Notebooks")}
            labels={data.notebooks}
            chosen={labels.notebook}
            onChoose={(notebook) => onChange(withLabel(labels, "notebook", notebook))}
          />
        </div>
      )}
    </div>
  );
}

function withLabel(labels: LabelFilters, kind: keyof LabelFilters, name: string): LabelFilters {
  const { [kind]: before, ...others } = labels;
  return before === name ? others : { ...others, [kind]: name };
}

type ListProps = {
  title: string;
  labels: Label[];
  chosen: string | undefined;
  onChoose: (name: string) => void;
  onDrop?: (name: string, ids: string[]) => void;
};

function LabelList({ title, labels, chosen, onChoose, onDrop }: ListProps) {
  if (labels.length === 0) return null;
  return (
    <section>
      <h2 className="section-title">{title}</h2>
      <ul className="labels">
        {labels.map((label) => (
          <LabelButton
            key={label.name}
            label={label}
            isChosen={label.name === chosen}
            onChoose={() => onChoose(label.name)}
            {...(onDrop && { onDrop: (ids: string[]) => onDrop(label.name, ids) })}
          />
        ))}
      </ul>
    </section>
  );
}

type ButtonProps = { label: Label; isChosen: boolean; onChoose: () => void; onDrop?: (ids: string[]) => void };

function LabelButton({ label, isChosen, onChoose, onDrop }: ButtonProps) {
  const [isOver, setOver] = useState(false);
  const over = (event: DragEvent) => {
    if (!onDrop || !isDraggingConversations(event)) return;
    event.preventDefault(); // allows the drop
    setOver(true);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    onDrop?.(readDragged(event));
  };
  return (
    <li>
      <button
        type="button"
        className="label"
        aria-pressed={isChosen}
        data-over={isOver || undefined}
        onClick={onChoose}
        onDragOver={over}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <span dir="auto">{label.name}</span>
        <span className="soft">{formatNumber(label.count)}</span>
      </button>
    </li>
  );
}

function useIsDragging(): boolean {
  const [isDragging, setDragging] = useState(false);
  useEffect(() => {
    // Chromium ends a drag at once if the page changes while it starts.
    const start = (event: DragEvent | globalThis.DragEvent) =>
      isDraggingConversations(event) && setTimeout(() => setDragging(true));
    const end = () => setDragging(false);
    window.addEventListener("dragstart", start);
    window.addEventListener("dragend", end);
    window.addEventListener("drop", end);
    return () => {
      window.removeEventListener("dragstart", start);
      window.removeEventListener("dragend", end);
      window.removeEventListener("drop", end);
    };
  }, []);
  return isDragging;
}
