/** Objects for the tests. */

import type { Conversation } from "./lists";

const DEFAULTS = {
  external_id: null,
  source: "api",
  title: "A title",
  title_is_auto: false,
  model: "",
  notebooks: [],
  tags: [],
  metadata: {},
  model_options: {},
  is_pinned: false,
  is_archived: false,
  archived_at: null,
  deleted_at: null,
  message_count: 0,
  preview: "",
  prompt_tokens: 0,
  completion_tokens: 0,
  created_at: "2026-11-01T00:00:00.000000Z",
  updated_at: "2026-11-01T00:00:00.000000Z",
  active_at: "2026-11-01T00:00:00.000000Z",
};

/** Return a conversation with these values, and defaults for the other fields. */
export function conversation(values: Partial<Conversation>): Conversation {
  return { id: "0", ...DEFAULTS, ...values } as Conversation;
}
