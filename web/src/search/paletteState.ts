/** Whether the command palette is open: the dialog that finds conversations, messages and commands. Ctrl+K opens it. */

import { Store, useStore } from "../store";

const isOpen = new Store(false);

export const setPaletteOpen = isOpen.set;

export function usePaletteOpen(): boolean {
  return useStore(isOpen);
}
