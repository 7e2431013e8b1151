/** Whether the palette is open: the dialog for searching and for every command. Ctrl+K opens it. */

import { Store, useStore } from "../store";

const isOpen = new Store(false);

export const setPaletteOpen = isOpen.set;

export function usePaletteOpen(): boolean {
  return useStore(isOpen);
}
