/** Whether the list of keyboard shortcuts is open. `?` opens it, outside of fields. */

import { useEffect } from "react";
import { Store, useStore } from "../store";
import { isField } from "../ui/focus";

const isOpen = new Store(false);

export const setHelpOpen = isOpen.set;

/** Return whether the list is open, and open it when `?` is pressed. */
export function useKeyboardHelp(): boolean {
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      const isBusy = isField(event.target) || document.querySelector("dialog[open]");
      if (event.key === "?" && !event.ctrlKey && !event.metaKey && !isBusy) setHelpOpen(true);
    };
    window.addEventListener("keydown", open);
    return () => window.removeEventListener("keydown", open);
  }, []);
  return useStore(isOpen);
}
