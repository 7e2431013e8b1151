/** The actions of the user on conversations. The lists show each one at once. */

import { type BulkAction, type Conversation, changeConversation, changeConversations } from "../api/conversations";
import { t } from "../i18n";
import { explain } from "../ui/explain";
import { showToast } from "../ui/toastState";

const INVERSE: Record<BulkAction, BulkAction> = {
  trash: "restore",
  restore: "trash",
  archive: "unarchive",
  unarchive: "archive",
  pin: "unpin",
  unpin: "pin",
  add_tag: "remove_tag",
  remove_tag: "add_tag",
};

type Options = { tag?: string; onUndone?: (() => void) | undefined };

/** Apply the action to the conversations that it changes, and offer to undo it. Show an error. Never throws. */
export async function act(conversations: Conversation[], action: BulkAction, options: Options = {}): Promise<void> {
  const { tag = "", onUndone } = options;
  const changing = conversations.filter((conversation) => isChanged(conversation, action, tag));
  if (changing.length === 0) return;
  const { changed, error } = await changeConversations(changing, action, tag);
  if (error) showToast(explain(error));
  if (changed.length === 0) return;
  const undo = async () => {
    const undone = await changeConversations(changed, INVERSE[action], tag);
    if (undone.error) showToast(explain(undone.error));
    else onUndone?.();
  };
  showToast(describe(action, changed.length, tag), { label: t("Undo"), run: () => void undo() });
}

export async function rename(conversation: Conversation, title: string): Promise<void> {
  if (!title || title === conversation.title) return;
  await changeConversation(conversation.id, { title }).catch((error: unknown) => showToast(explain(error)));
}

function isChanged(conversation: Conversation, action: BulkAction, tag: string): boolean {
  const { is_pinned = false, is_archived = false, tags = [] } = conversation;
  const isDone: Record<BulkAction, boolean> = {
    trash: conversation.deleted_at !== null,
    restore: conversation.deleted_at === null,
    archive: is_archived,
    unarchive: !is_archived,
    pin: is_pinned,
    unpin: !is_pinned,
    add_tag: tags.includes(tag),
    remove_tag: !tags.includes(tag),
  };
  return !isDone[action];
}

function describe(action: BulkAction, count: number, tag: string): string {
  switch (action) {
    case "trash":
      return t("{{count}} conversations moved to the trash", {
        count,
        defaultValue_one: "Conversation moved to the trash",
      });
    case "restore":
      return t("{{count}} conversations restored", { count, defaultValue_one: "Conversation restored" });
    case "archive":
      return t("{{count}} conversations archived", { count, defaultValue_one: "Conversation archived" });
    case "unarchive":
      return t("{{count}} conversations taken out of the archive", {
        count,
        defaultValue_one: "Conversation taken out of the archive",
      });
    case "pin":
      return t("{{count}} conversations pinned", { count, defaultValue_one: "Conversation pinned" });
    case "unpin":
      return t("{{count}} conversations unpinned", { count, defaultValue_one: "Conversation unpinned" });
    case "add_tag":
      return t("{{count}} conversations tagged “{{tag}}”", {
        count,
        tag,
        defaultValue_one: "Conversation tagged “{{tag}}”",
      });
    case "remove_tag":
      return t("Tag “{{tag}}” removed from {{count}} conversations", {
        count,
        tag,
        defaultValue_one: "Tag “{{tag}}” removed",
      });
  }
}
