/** Whether the session has ended while the app was open. The shell then asks the user to sign in again. */

import { Store, useStore } from "../store";

const isSignedOut = new Store(false);

export const setSignedOut = isSignedOut.set;

export function useSignedOut(): boolean {
  return useStore(isSignedOut);
}

/** Wait until the user says that they have signed in again. */
export function signedIn(): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (isSignedOut.get()) return;
      stop();
      resolve();
    };
    const stop = isSignedOut.subscribe(check);
    check();
  });
}
