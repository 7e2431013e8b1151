import { type KeyboardEvent, useEffect, useId, useState } from "react";

/**
 * The list of a combobox: the focus stays in the field, and the arrow keys choose the active option.
 *
 * When `version` changes, for example because of another text in the field, the first option is active, or none.
 */
export function useActiveOption(ids: readonly string[], version: string, isFirstActive: boolean) {
  const listId = useId();
  const [chosen, setChosen] = useState({ version, id: "" });
  const fallback = isFirstActive ? (ids[0] ?? "") : "";
  const active = chosen.version === version && ids.includes(chosen.id) ? chosen.id : fallback;
  const elementId = (id: string) => `${listId}-${ids.indexOf(id)}`;
  const activeElement = active ? elementId(active) : undefined;
  const activate = (id: string) => setChosen({ version, id });

  useEffect(() => {
    if (activeElement) document.getElementById(activeElement)?.scrollIntoView({ block: "nearest" });
  }, [activeElement]);

  /** Handle an arrow key. Returns whether it was one. */
  const moveByKey = (event: KeyboardEvent): boolean => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || ids.length === 0) return false;
    event.preventDefault();
    activate(ids[nextIndex(ids.indexOf(active), step, ids.length)] ?? "");
    return true;
  };

  return {
    active,
    moveByKey,
    field: {
      "aria-autocomplete": "list",
      "aria-controls": listId,
      "aria-activedescendant": activeElement,
    } as const,
    listId,
    option: (id: string) =>
      ({
        id: elementId(id),
        role: "option",
        tabIndex: -1,
        "aria-selected": id === active,
        onPointerMove: () => activate(id),
      }) as const,
  };
}

/** Return the index after a step. The first and the last option are neighbours. */
function nextIndex(index: number, step: number, count: number): number {
  if (index === -1) return step > 0 ? 0 : count - 1;
  return (index + step + count) % count;
}
