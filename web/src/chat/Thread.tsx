import { memo, type RefObject, useDeferredValue, useEffect, useLayoutEffect, useRef } from "react";
import { useStickToBottom } from "use-stick-to-bottom";
import { t } from "../i18n";
import { explain } from "../ui/explain";
import { IconButton } from "../ui/IconButton";
import { KeepPosition } from "./KeepPosition";
import { RowView } from "./RowView";
import type { Row } from "./rows";
import { SkeletonRows } from "./ThreadSkeleton";
import type { ThreadState } from "./useThread";

/** How many rows at the end of the conversation are rendered first. They fill the screen; the others follow. */
const FIRST_PAINT = 12;

function lastOf(rows: readonly Row[]): readonly Row[] {
  return rows.length > FIRST_PAINT ? rows.slice(-FIRST_PAINT) : rows;
}

type Props = { thread: ThreadState; rows: readonly Row[]; markedId: string | undefined };

/** The messages of a conversation, in a scroller that loads more at both ends. */
export function Thread({ thread, rows: newest, markedId }: Props) {
  const { hasLater } = thread;
  const first = markedId ? newest : lastOf(newest);
  // A further page can take a quarter of a second to render. With a deferred value, React does it in short steps.
  const deferred = useDeferredValue(newest, first);
  const rows = deferred.length > 0 ? deferred : first;
  const isRendered = rows === newest;
  const stick = useStick(hasLater, markedId);
  const { scrollRef, contentRef, scrollToBottom, isAtBottom } = stick;
  useFirstPosition(scrollRef, thread.isOpened && rows.length > 0, markedId);
  useFollowSent(rows, scrollToBottom);
  const jump = async () => {
    await thread.showEnd();
    void scrollToBottom({ animation: "instant", ignoreEscapes: true });
  };
  return (
    <div className="thread-frame">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without a mouse, people scroll it with the keyboard */}
      <section className="thread" ref={scrollRef} aria-label={t("Messages")} tabIndex={0}>
        <div className="thread-column" ref={contentRef}>
          {thread.isPartial && (
            <p className="print-note">
              {t("This is a part of a long conversation. To print all of it, choose “Export” and “HTML” in its menu.")}
            </p>
          )}
          <LoadMore load={isRendered ? thread.loadEarlier : null} scroller={scrollRef} />
          {thread.isLoading && <SkeletonRows />}
          {thread.error && thread.isEmpty && <LoadError error={thread.error} retry={thread.retry} />}
          <KeepPosition scroller={scrollRef}>
            <Rows rows={rows} markedId={markedId} />
          </KeepPosition>
          <LoadMore load={isRendered ? thread.loadLater : null} scroller={scrollRef} />
        </div>
      </section>
      {(!isAtBottom || hasLater) && !thread.isEmpty && (
        <IconButton icon="arrowDown" label={t("Jump to the end")} className="jump" onClick={jump} />
      )}
    </div>
  );
}

/** Keep the end of the conversation in view while it grows, but not while later pages are not loaded. */
function useStick(hasLater: boolean, markedId: string | undefined) {
  const later = useRef(hasLater);
  later.current = hasLater;
  const prefersReducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  return useStickToBottom({
    initial: markedId ? false : "instant",
    resize: prefersReducedMotion ? "instant" : "smooth",
    targetScrollTop: (end, { scrollElement }) => (later.current ? scrollElement.scrollTop : end),
  });
}

/** Begin at the end of the conversation, or at the marked message. */
function useFirstPosition(scroller: RefObject<HTMLElement | null>, isReady: boolean, markedId: string | undefined) {
  const done = useRef("");
  const goal = markedId ?? "end";
  useLayoutEffect(() => {
    if (!isReady || done.current === goal) return;
    const first = done.current === "";
    done.current = goal;
    const marked = markedId && document.getElementById(`message-${markedId}`);
    if (marked) marked.scrollIntoView({ block: "center" });
    else if (first && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [isReady, goal, markedId, scroller]);
}

/** Scroll to the end when the user sends something. */
function useFollowSent(rows: readonly Row[], scrollToBottom: () => void): void {
  const last = rows.at(-1);
  const sent = last?.kind === "pending" && last.pending.question.kind === "ask" ? last.key : "";
  useEffect(() => {
    if (sent) void scrollToBottom();
  }, [sent, scrollToBottom]);
}

const Rows = memo(({ rows, markedId }: { rows: readonly Row[]; markedId: string | undefined }) =>
  rows.map((row, index) => (
    <RowView key={row.key} row={row} isLast={index === rows.length - 1} isMarked={row.key === markedId} />
  )),
);

const AHEAD = "1200px"; // how far before the end of the window the next page is loaded

/** Loads a page when it comes near the visible part. */
function LoadMore({ load, scroller }: { load: (() => void) | null; scroller: RefObject<HTMLElement | null> }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!load || !ref.current) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && load(), {
      root: scroller.current,
      rootMargin: `${AHEAD} 0px`,
    });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [load, scroller]);
  return <div ref={ref} className="load-more" />;
}

function LoadError({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <div className="thread-error">
      <p className="error-text">{explain(error)}</p>
      <button type="button" className="button secondary" onClick={retry}>
        {t("Try again")}
      </button>
    </div>
  );
}
