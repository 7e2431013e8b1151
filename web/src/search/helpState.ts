/** Whether the list of keyboard shortcuts is open. `?` opens it, outside of fields. */

import { useEffect, useSyncExternalStore } from "react";

let isOpen = false;
const listeners = new Set<() => void>();

export function setHelpOpen(value: boolean): void {
  isOpen = value;
  for (const listener of listeners) listener();
}

/** Return whether the list is open, and open it when `?` is pressed. */
export function useKeyboardHelp(): boolean {
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      const isBusy = isTyping(event.target) || document.querySelector("dialog[open]");
      if (event.key === "?" && !event.ctrlKey && !event.metaKey && !isBusy) setHelpOpen(true);
    };
    window.addEventListener("keydown", open);
    return () => window.removeEventListener("keydown", open);
  }, []);
  return useSyncExternalStore(subscribe, () => isOpen);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
