/** The user's reactions to a message, such as thumbs up. */

import { skipToken, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { explain } from "../ui/explain";
import { showToast } from "../ui/toasts";
import { api, unwrap } from "./client";
import type { Message } from "./messages";

export type Reaction = "thumbs_up" | "thumbs_down";
type Change = { type: Reaction; isWanted: boolean };

const OPPOSITE: Record<Reaction, Reaction> = { thumbs_up: "thumbs_down", thumbs_down: "thumbs_up" };

/**
 * Return the reactions of a message, and a function that adds or removes one. The change is shown at once, and taken
 * back if it fails. Thumbs up removes thumbs down, and the other way round.
 */
export function useReactions(message: Message) {
  const client = useQueryClient();
  const queryKey = ["reactions", message.id];
  // What the user has changed on this page. It stays longer than the row, which is unmounted when it scrolls away.
  const { data: changed } = useQuery<string[]>({ queryKey, queryFn: skipToken, gcTime: Number.POSITIVE_INFINITY });
  const reactions = changed ?? message.reactions;
  const { mutate } = useMutation({
    scope: { id: `reactions ${message.id}` }, // one change after the other
    mutationFn: (changes: Change[]) => store(message.id, changes),
    onMutate: (changes) => {
      const before = client.getQueryData<string[]>(queryKey) ?? message.reactions;
      client.setQueryData(queryKey, apply(before, changes));
      return before;
    },
    onError: (error, _, before) => {
      client.setQueryData(queryKey, before);
      showToast(explain(error));
    },
  });
  const toggle = (type: Reaction) => {
    const isWanted = !reactions.includes(type);
    const opposite = OPPOSITE[type];
    const removal = isWanted && reactions.includes(opposite) ? [{ type: opposite, isWanted: false }] : [];
    mutate([...removal, { type, isWanted }]);
  };
  return { has: (type: Reaction) => reactions.includes(type), toggle };
}

function apply(reactions: readonly string[], changes: readonly Change[]): string[] {
  const changed = new Set(changes.map(({ type }) => type as string));
  const wanted = changes.filter(({ isWanted }) => isWanted).map(({ type }) => type);
  return [...reactions.filter((type) => !changed.has(type)), ...wanted];
}

async function store(id: string, changes: readonly Change[]): Promise<void> {
  for (const { type, isWanted } of changes) {
    await (isWanted ? add(id, type) : remove(id, type));
  }
}

function add(id: string, type: Reaction) {
  return unwrap(api.POST("/api/v1/messages/{id}/reactions/", { params: { path: { id } }, body: { type } }));
}

function remove(id: string, type: Reaction) {
  return unwrap(api.DELETE("/api/v1/messages/{id}/reactions/", { params: { path: { id }, query: { type } } }));
}
