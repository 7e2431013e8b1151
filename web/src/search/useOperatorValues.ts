import { useQuery } from "@tanstack/react-query";
import { modelsQuery } from "../api/account";
import { labelsQuery } from "../api/labels";
import { type Stats, statsQuery } from "../api/stats";
import type { Values } from "./operators";

/** Return the models and tags that can be searched for. They are read only if the text has their operator. */
export function useOperatorValues(text: string): Values {
  const wantsModels = /\bmodel:/i.test(text);
  const used = useQuery({ ...statsQuery(30), enabled: wantsModels, select: modelsByUse });
  const models = useQuery({ ...modelsQuery, enabled: wantsModels });
  const labels = useQuery({ ...labelsQuery, enabled: /\btag:/i.test(text) });
  return {
    models: unique([...(used.data ?? []), ...(models.data ?? []).map(({ model }) => model)]),
    tags: unique((labels.data?.tags ?? []).map(({ name }) => name)),
  };
}

function unique(values: string[]): string[] {
  return [...new Set(values.filter(Boolean))];
}

function modelsByUse({ by_model }: Stats): string[] {
  return by_model.toSorted((a, b) => b.messages - a.messages).map(({ model }) => model);
}
