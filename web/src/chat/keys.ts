import type { KeyboardEvent } from "react";

/**
 * Return whether a key sends a text: Enter, but not Shift+Enter, and not the Enter that confirms the text of an input
 * method (IME), as for Japanese. For this Enter, Safari sets only `keyCode` to 229. On a phone, Enter is a new line.
 */
export function isSendKey(event: KeyboardEvent): boolean {
  const { isComposing, keyCode } = event.nativeEvent;
  if (event.key !== "Enter" || event.shiftKey || isComposing || keyCode === 229) return false;
  return event.ctrlKey || event.metaKey || !window.matchMedia("(pointer: coarse)").matches;
}
