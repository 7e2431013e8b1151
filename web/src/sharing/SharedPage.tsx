import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ApiError } from "../api/client";
import { sharedMessagesQuery, sharedQuery } from "../api/shares";
import { SkeletonRows } from "../chat/ThreadSkeleton";
import { EndOfList } from "../history/EndOfList";
import { t } from "../i18n";
import { useDocumentTitle } from "../ui/documentTitle";
import { formatEnd } from "./ends";
import { SharedMessageRow } from "./SharedMessageRow";
import { SharedProblem } from "./SharedProblem";
import "../chat/chat.css"; // the look of messages
import "./sharing.css";

/** The copy of a conversation, for everybody who has its link. It needs no session. */
export function SharedPage() {
  const { token } = useParams({ from: "/share/$token" });
  const { data: share, error, refetch } = useQuery(sharedQuery(token));
  useDocumentTitle(share ? share.title || t("Shared conversation") : undefined);
  const isClosed = error instanceof ApiError && (error.status === 404 || error.status === 401);
  if (error && (!share || isClosed)) return <SharedProblem error={error} retry={() => void refetch()} />;
  return (
    <div className="shared">
      <header className="shared-bar">
        <a href="/">chatstore</a>
      </header>
      <main className="thread-column">
        {share ? (
          <>
            <h1 dir="auto">{share.title || t("Shared conversation")}</h1>
            <p className="shared-facts">
              <time dateTime={share.created_at}>{formatEnd(share.created_at)}</time>
              {` · ${t("Shared with chatstore")} · ${t("read only")}`}
              {share.expires_at && ` · ${t("expires on {{time}}", { time: formatEnd(share.expires_at) })}`}
            </p>
            <SharedMessages token={token} />
          </>
        ) : (
          <SkeletonRows />
        )}
      </main>
    </div>
  );
}

function SharedMessages({ token }: { token: string }) {
  const query = useInfiniteQuery(sharedMessagesQuery(token));
  const messages = query.data?.pages.flatMap((page) => page.results);
  return (
    <>
      {messages?.map((message) => (
        <SharedMessageRow key={message.id} message={message} />
      ))}
      {messages?.length === 0 && <p className="soft">{t("The messages of this conversation have been deleted.")}</p>}
      {query.isPending ? <SkeletonRows /> : <EndOfList query={query} />}
    </>
  );
}
