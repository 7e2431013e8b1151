import { type KeyboardEvent, useEffect, useRef } from "react";
import type { Conversation } from "../api/conversations";
import { t } from "../i18n";
import { rename } from "./actions";

const MAX_LENGTH = 500;

type Props = { conversation: Conversation; onEnd: (isFromKeyboard: boolean) => void };

/** The title as a field in the place of the row. Enter and leaving the field save, Escape cancels. */
export function RenameInput({ conversation, onEnd }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const isEnded = useRef(false);
  useEffect(() => field.current?.select(), []);
  const end = (isSaving: boolean, isFromKeyboard: boolean) => {
    if (isEnded.current) return; // the field loses the focus when it is removed
    isEnded.current = true;
    if (isSaving) void rename(conversation, field.current?.value.trim() ?? "");
    onEnd(isFromKeyboard);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" || event.key === "Escape") {
      event.preventDefault();
      end(event.key === "Enter", true);
    }
  };
  return (
    <input
      ref={field}
      className="row-title-field"
      aria-label={t("Title")}
      dir="auto"
      maxLength={MAX_LENGTH}
      defaultValue={conversation.title}
      onKeyDown={onKeyDown}
      onBlur={() => end(true, false)}
    />
  );
}
