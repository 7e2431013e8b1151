import { parseQuestion } from "./questions";
import { keysWith, readText, writeText } from "./storage";

/** Remove the drafts and the waiting questions of a user from the browser. */
export function forgetUser(userId: string): void {
  const isTheirs = (key: string) => parseQuestion(readText(key))?.userId === userId;
  for (const key of [...keysWith(`draft.${userId}.`), ...keysWith("outbox.").filter(isTheirs)]) writeText(key, "");
}
