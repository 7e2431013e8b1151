import type { KeyboardEvent } from "react";

/**
 * Whether a key sends a text: Enter, but not Shift+Enter, and not the Enter that ends the input of a character. On a
 * phone, Enter is a new line.
 */
export function isSendKey(event: KeyboardEvent): boolean {
  const { isComposing, keyCode } = event.nativeEvent;
  if (event.key !== "Enter" || event.shiftKey || isComposing || keyCode === 229) return false;
  return event.ctrlKey || event.metaKey || !window.matchMedia("(pointer: coarse)").matches;
}
