/** The conversations that the user has selected in a list, to change all of them at once. */

import { useCallback, useMemo, useRef, useState } from "react";

export type Selection = {
  isActive: boolean;
  ids: ReadonlySet<string>;
  start: () => void;
  stop: () => void;
  /** Select or deselect one conversation. With `isRange`, also all between it and the one before. */
  toggle: (id: string, isRange: boolean) => void;
  selectAll: () => void;
};

const NONE: ReadonlySet<string> = new Set();

/** Keep the selection of a list. `loaded` are its ids, in its order. */
export function useSelection(loaded: string[]): Selection {
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null);
  const lastId = useRef<string | null>(null);
  const list = useRef(loaded);
  list.current = loaded;
  const toggle = useCallback((id: string, isRange: boolean) => {
    const range = isRange && lastId.current ? idsBetween(list.current, lastId.current, id) : [id];
    lastId.current = id;
    setChosen((before) => withToggled(before ?? NONE, range, id));
  }, []);
  const selectAll = useCallback(() => setChosen(new Set(list.current)), []);
  const start = useCallback(() => setChosen(NONE), []);
  const stop = useCallback(() => {
    lastId.current = null;
    setChosen(null);
  }, []);
  // Conversations that left the list are not selected any more.
  const ids = useMemo(() => new Set(loaded.filter((id) => chosen?.has(id))), [loaded, chosen]);
  return { isActive: chosen !== null, ids, start, stop, toggle, selectAll };
}

/** Return the ids from one to the other, in either direction, with both. */
export function idsBetween(list: string[], from: string, to: string): string[] {
  const [start, end] = [list.indexOf(from), list.indexOf(to)].sort((a, b) => a - b) as [number, number];
  return start < 0 ? [to] : list.slice(start, end + 1);
}

/** Give all ids of `range` the state that `id` changes to. */
export function withToggled(before: ReadonlySet<string>, range: string[], id: string): ReadonlySet<string> {
  const after = new Set(before);
  for (const each of range) {
    if (before.has(id)) after.delete(each);
    else after.add(each);
  }
  return after;
}
