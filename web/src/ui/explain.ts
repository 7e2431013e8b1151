import { ApiError } from "../api/client";
import { t } from "../i18n";

/** Return a sentence for the user that says what went wrong. The server's own sentence comes first. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return t("Something went wrong. Reload the page, and try again.");
  if (error.message) return error.message;
  if (error.status === 0) return t("chatstore cannot be reached. Check your connection.");
  return t("chatstore cannot answer at the moment. Try again soon.");
}
