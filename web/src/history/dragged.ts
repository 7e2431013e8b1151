/** Conversations that the user drags from a list. The drag carries their ids. */

import type { DragEvent } from "react";

const TYPE = "application/x-chatstore-conversations";

export function setDragged(event: DragEvent, ids: string[]): void {
  event.dataTransfer.setData(TYPE, JSON.stringify(ids));
  event.dataTransfer.effectAllowed = "copyLink";
}

export function isDraggingConversations({ dataTransfer }: { dataTransfer: DataTransfer | null }): boolean {
  return dataTransfer?.types.includes(TYPE) ?? false;
}

export function readDragged(event: DragEvent): string[] {
  return JSON.parse(event.dataTransfer.getData(TYPE) || "[]") as string[];
}
