/** Whether the session has ended while the app was open. The shell then asks the user to sign in again. */

import { useSyncExternalStore } from "react";

let isSignedOut = false;
const listeners = new Set<() => void>();

export function setSignedOut(value: boolean): void {
  isSignedOut = value;
  for (const listener of listeners) listener();
}

export function useSignedOut(): boolean {
  return useSyncExternalStore(subscribe, () => isSignedOut);
}

/** Wait until the user says that they have signed in again. */
export function signedIn(): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (isSignedOut) return;
      listeners.delete(check);
      resolve();
    };
    listeners.add(check);
    check();
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
