/** Short messages at the edge of the screen, with at most one action, such as "Undo". */

import { Store, useStore } from "../store";

export type Toast = { id: number; text: string; action?: { label: string; run: () => void } };

const SECONDS = 8;
const toasts = new Store<readonly Toast[]>([]);
let lastId = 0;

export function showToast(text: string, action?: Toast["action"]): void {
  const toast: Toast = { id: ++lastId, text, ...(action && { action }) };
  toasts.set([...toasts.get(), toast]);
  removeLater(toast.id);
}

/** Remove a toast after some time, but not while the focus or the pointer is on it. */
function removeLater(id: number): void {
  setTimeout(() => {
    if (document.querySelector(".toasts:hover, .toasts:focus-within")) removeLater(id);
    else removeToast(id);
  }, SECONDS * 1000);
}

export function removeToast(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}

export function useToasts(): readonly Toast[] {
  return useStore(toasts);
}
