/** Short messages at the edge of the screen, with at most one action, such as "Undo". */

import { useSyncExternalStore } from "react";

export type Toast = { id: number; text: string; action?: { label: string; run: () => void } };

const SECONDS = 8;
let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

export function showToast(text: string, action?: Toast["action"]): void {
  const toast: Toast = { id: ++lastId, text, ...(action && { action }) };
  publish([...toasts, toast]);
  setTimeout(() => removeToast(toast.id), SECONDS * 1000);
}

export function removeToast(id: number): void {
  publish(toasts.filter((toast) => toast.id !== id));
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(subscribe, () => toasts);
}

function publish(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
