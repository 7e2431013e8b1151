import { useLayoutEffect, useRef } from "react";
import type { Message } from "../api/messages";
import { t } from "../i18n";
import { IconButton } from "../ui/IconButton";
import { focusChosenBranch, showBranch } from "./actions";

/** Shows which of the alternatives this message is, and switches to the others: ‹ 2/3 ›. */
export function BranchPicker({ message }: { message: Message }) {
  const picker = useRef<HTMLSpanElement>(null);
  // A layout effect runs before `KeepPosition`, which gives a lost focus to the thread.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the message appears
  useLayoutEffect(() => focusChosenBranch(message, picker.current), []);
  const ids = message.sibling_ids;
  if (ids.length < 2) return null;
  const place = ids.indexOf(message.id);
  const show = (index: number) => {
    const id = ids[index];
    if (id) showBranch(message, id);
  };
  const position = { place: place + 1, count: ids.length };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <span ref={picker} className="branch-picker" role="group" aria-label={t("Branches")}>
      <IconButton
        icon="chevronLeft"
        label={t("Previous branch")}
        disabled={place <= 0}
        onClick={() => show(place - 1)}
      />
      <span>
        <span aria-hidden="true">
          {position.place}/{position.count}
        </span>
        <span className="visually-hidden">{t("Branch {{place}} of {{count}}", position)}</span>
      </span>
      <IconButton
        icon="chevronRight"
        label={t("Next branch")}
        disabled={place >= ids.length - 1}
        onClick={() => show(place + 1)}
      />
    </span>
  );
}
