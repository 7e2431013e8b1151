/**
 * The user of this page, and the state of the session. If the session has ended, the shell shows a dialog. If it belongs
 * to another user, the page of this user is hidden and stays hidden: only a new page can follow.
 *
 * Hazard: another person signs in in another tab, and all tabs share the cookie. So each request names the user whose
 * data the page shows, and the server refuses it if the session belongs to somebody else.
 */

import { Store, useStore } from "../store";

export type Session = "valid" | "ended" | "of-other-user";

const session = new Store<Session>("valid");
let userId = "";

export function setSession(state: Session): void {
  if (session.get() !== "of-other-user") session.set(state);
}

export function useSession(): Session {
  return useStore(session);
}

/** Note whose page this is. */
export function setUser(id: string): void {
  userId = id;
}

/** Return the header that names the user of this page, if it is known. */
export function userHeader(): Record<string, string> {
  return userId ? { "X-Expected-User": userId } : {};
}

/** Wait until the user says that they have signed in again. */
export function signedIn(): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (session.get() !== "valid") return;
      stop();
      resolve();
    };
    const stop = session.subscribe(check);
    check();
  });
}
