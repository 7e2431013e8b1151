/**
 * The focus after its element has disappeared, and what keys can do at the focused element. Without `rescueFocus`, the
 * Tab key would begin at the top of the page.
 */

/** Give the focus to the topmost dialog, or else to the page, unless something has it. */
export function rescueFocus(): void {
  // The dialog or the menu that disappears moves the focus first.
  setTimeout(() => {
    if (document.activeElement !== document.body) return;
    const control = [...document.querySelectorAll<HTMLElement>("dialog[open]")].at(-1)?.querySelector("button");
    (control ?? document.getElementById("main"))?.focus();
  }, 50);
}

/** Whether Escape closes a dialog, a menu, an editor or the sidebar of a narrow window. */
export function closesSomething(target: EventTarget | null): boolean {
  const isInside = target instanceof Element && target.closest("[role=menu], .edit-form, [role=combobox]");
  return Boolean(isInside || document.querySelector("dialog[open], [data-sidebar=open]"));
}

/** Whether the user types into this element. */
export function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}
