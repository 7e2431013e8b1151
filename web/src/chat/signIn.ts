import { queryClient } from "../api/queryClient";
import { setSession, signedIn, userHeader } from "../api/session";

const POLL = 5000; // milliseconds

/**
 * Wait until the user has signed in again. The user may have closed the dialog without signing in. So this asks the
 * server every POLL milliseconds, without opening the dialog again.
 */
export async function signedInAgain(): Promise<void> {
  await signedIn();
  while (!(await isSignedIn())) await new Promise((resolve) => setTimeout(resolve, POLL));
}

/** Close the dialog after the user has signed in again, and read again what could not be read meanwhile. */
export function continueSession(): void {
  setSession("valid");
  void queryClient.invalidateQueries();
}

/** Ask the server whether the user of this page is signed in. */
export async function isSignedIn(): Promise<boolean> {
  const response = await fetch("/api/v1/me/", { headers: userHeader() }).catch(() => null);
  return response?.ok ?? false;
}
