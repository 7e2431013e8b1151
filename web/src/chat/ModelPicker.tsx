import { useQuery } from "@tanstack/react-query";
import { modelsQuery } from "../api/account";
import { type Conversation, changeConversation } from "../api/conversations";
import { t } from "../i18n";
import { explain } from "../ui/explain";
import { showToast } from "../ui/toastState";
import { changeDraft, useDraft } from "./drafts";

type Props = { conversation: Conversation | undefined; draftKey: string };

/** Chooses the model of a conversation: its own, or else the default. */
export function ModelPicker({ conversation, draftKey }: Props) {
  const { data: models = [] } = useQuery(modelsQuery);
  const draft = useDraft(draftKey);
  const defaultModel = models.find(({ is_default }) => is_default)?.name ?? "";
  const chosen = (conversation ? conversation.model : draft.model) || defaultModel;
  const names = models.map(({ name }) => name);
  if (!chosen) return null;
  if (names.length < 2) return <span className="model-name">{chosen}</span>;
  const choose = (model: string) => {
    if (!conversation) return changeDraft(draftKey, { model });
    changeConversation(conversation.id, { model }).catch((error: unknown) => showToast(explain(error)));
  };
  return (
    <select
      className="model-picker"
      aria-label={t("Model")}
      value={chosen}
      onChange={(event) => choose(event.target.value)}
    >
      {[...new Set([...names, chosen])].map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}
