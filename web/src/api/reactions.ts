/** The user's reactions to a message, such as thumbs up. */

import { useMutation } from "@tanstack/react-query";
import { explain } from "../ui/explain";
import { showToast } from "../ui/toastState";
import { api, unwrap } from "./client";
import { findMessage, type Message, putMessage } from "./messages";

export type Reaction = "thumbs_up" | "thumbs_down";
type Change = { type: Reaction; isWanted: boolean };

const OPPOSITE: Record<Reaction, Reaction> = { thumbs_up: "thumbs_down", thumbs_down: "thumbs_up" };

/**
 * Return a function that adds a reaction to a message, or removes it. The change is shown at once, and taken back if it
 * fails. Thumbs up removes thumbs down, and the other way round.
 */
export function useToggleReaction(message: Message): (type: Reaction) => void {
  const { mutate } = useMutation({
    scope: { id: `reactions ${message.id}` }, // one change after the other
    mutationFn: (changes: Change[]) => store(message.id, changes),
    onMutate: (changes) => {
      const before = reactionsOf(message);
      show(message, apply(before, changes));
      return before;
    },
    onError: (error, _, before) => {
      show(message, before ?? []);
      showToast(explain(error));
    },
  });
  return (type) => {
    const reactions = reactionsOf(message);
    const isWanted = !reactions.includes(type);
    const opposite = OPPOSITE[type];
    const removal = isWanted && reactions.includes(opposite) ? [{ type: opposite, isWanted: false }] : [];
    mutate([...removal, { type, isWanted }]);
  };
}

function reactionsOf(message: Message): string[] {
  return (findMessage(message.conversation_id, message.id) ?? message).reactions;
}

function show(message: Message, reactions: string[]): void {
  putMessage({ ...(findMessage(message.conversation_id, message.id) ?? message), reactions });
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
