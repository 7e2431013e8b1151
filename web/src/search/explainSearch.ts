import { ApiError } from "../api/client";
import { t } from "../i18n";
import { explain } from "../ui/explain";

/** Return a sentence for the user that says why a search failed, and what helps. */
export function explainSearch(error: unknown): string {
  if (error instanceof ApiError && error.code === "search_too_slow")
    return t("This search takes too long. Add a rarer word, or a filter such as after: or tag:.");
  return explain(error);
}
