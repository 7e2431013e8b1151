import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { ApiError } from "../api/client";
import { displayBranch, END, type Message, messagesQuery, openAt, showFrom } from "../api/messages";
import { t } from "../i18n";
import { explain } from "../ui/explain";
import { showToast } from "../ui/toastState";

const NONE: readonly Message[] = [];

export type ThreadState = {
  conversationId: string;
  messages: readonly Message[];
  error: Error | null;
  isLoading: boolean;
  isEmpty: boolean;
  /** False while the message that the address names is being opened. */
  isOpened: boolean;
  loadEarlier: (() => void) | null;
  loadLater: (() => void) | null;
  hasLater: boolean;
  /** Whether there are messages before or after the window. */
  isPartial: boolean;
  showEnd: () => Promise<void>;
  retry: () => void;
};

/** Read the window of messages of a conversation: around a message if the address names one, otherwise the end. */
export function useThread(conversationId: string, messageId: string | undefined): ThreadState {
  const isOpened = useOpened(conversationId, messageId);
  const query = useInfiniteQuery({ ...messagesQuery(conversationId), enabled: isOpened });
  const messages = useMemo(() => query.data?.pages.flatMap(({ results }) => results) ?? NONE, [query.data]);
  const { hasPreviousPage, hasNextPage, isFetching, fetchPreviousPage, fetchNextPage } = query;
  return {
    conversationId,
    messages,
    error: query.error,
    isLoading: query.isPending,
    isEmpty: messages.length === 0,
    isOpened,
    loadEarlier: hasPreviousPage && !isFetching ? () => void fetchPreviousPage() : null,
    loadLater: hasNextPage && !isFetching ? () => void fetchNextPage() : null,
    hasLater: hasNextPage,
    isPartial: hasPreviousPage || hasNextPage,
    showEnd: async () => {
      if (hasNextPage) await showFrom(conversationId, END).catch((error: unknown) => showToast(explain(error)));
    },
    retry: () => void query.refetch(),
  };
}

function useOpened(conversationId: string, messageId = ""): boolean {
  const { data, error, isPending } = useQuery({
    queryKey: ["opened", conversationId, messageId],
    queryFn: () => openAt(conversationId, messageId),
    enabled: Boolean(messageId),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  useEffect(() => {
    if (data) offerWayBack(conversationId, data);
  }, [conversationId, data]);
  useEffect(() => {
    if (error) showToast(isMissing(error) ? t("This message does not exist any more.") : explain(error));
  }, [error]);
  return !messageId || !isPending;
}

function isMissing(error: Error): boolean {
  return error instanceof ApiError && error.status === 404;
}

function offerWayBack(conversationId: string, messageId: string): void {
  const run = () => {
    displayBranch(conversationId, messageId).catch((error: unknown) => showToast(explain(error)));
  };
  showToast(t("The message is on another branch, which is shown now."), { label: t("Go back"), run });
}
