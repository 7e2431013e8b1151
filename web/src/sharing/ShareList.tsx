import { useInfiniteQuery } from "@tanstack/react-query";
import { type Share, sharesQuery } from "../api/shares";
import { t } from "../i18n";
import { explain } from "../ui/explain";
import { ShareRow } from "./ShareRow";
import "./sharing.css";

type Props = { conversationId?: string; onRevoked?: (share: Share) => void };

/** The links of a conversation, or of all conversations of the user if none is named. */
export function ShareList({ conversationId, onRevoked }: Props) {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(sharesQuery(conversationId));
  const shares = data?.pages.flatMap((page) => page.results);
  return (
    <>
      {error && (
        <p className="error-text" role="alert">
          {explain(error)}
        </p>
      )}
      {!shares && !error && <span className="skeleton" />}
      {shares?.length === 0 && <p className="soft">{conversationId ? t("No links yet.") : <NoShares />}</p>}
      <ul className="entries">
        {shares?.map((share) => (
          <ShareRow key={share.id} share={share} hasTitle={!conversationId} onRevoked={onRevoked} />
        ))}
      </ul>
      {hasNextPage && (
        <button
          type="button"
          className="button secondary"
          disabled={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {t("Show more")}
        </button>
      )}
    </>
  );
}

function NoShares() {
  return t("You have no links. To share a conversation, choose “Share…” in its menu.");
}
