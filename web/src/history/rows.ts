/** Moving the focus between the rows of a list. */

const ROW = ".row";
const TARGET = "a.row-link, .row-link input, button";

/** Give the focus to the row after (or else before) the one with this element, which is about to disappear. */
export function focusAfterRow(element: Element | null): void {
  const row = element?.closest(ROW);
  if (!row) return;
  const next = neighbour(row, 1) ?? neighbour(row, -1);
  // The menu or the dialog that disappears with the row moves the focus first.
  setTimeout(() => (next ? focusRow(next) : focusPage()), 50);
}

/** Give the focus to the row with this element again, after it has moved to another place of the list. */
export function focusMovedRow(element: Element | null): void {
  const id = element?.closest<HTMLElement>(ROW)?.dataset.conversation;
  if (id) setTimeout(() => focusRow(rowOf(id)), 50);
}

/** Move the focus to the row above (-1) or below (1) the focused one. */
export function moveFocus(step: 1 | -1): boolean {
  const row = document.activeElement?.closest(ROW);
  const next = row && neighbour(row, step);
  if (next) focusRow(next);
  return Boolean(next);
}

export function focusRow(row: Element | null | undefined): void {
  row?.querySelector<HTMLElement>(TARGET)?.focus();
}

export function rowOf(id: string): Element | null {
  return document.querySelector(`${ROW}[data-conversation="${CSS.escape(id)}"]`);
}

/** Give the focus to the first row on the page, or to the page if it has none. */
export function focusFirstRow(): void {
  const first = document.querySelector(`#main ${ROW}`);
  if (first) focusRow(first);
  else focusPage();
}

/** Give the focus to the page beside the sidebar, when the focused row has disappeared and there is no other. */
function focusPage(): void {
  document.getElementById("main")?.focus();
}

function neighbour(row: Element, step: 1 | -1): Element | undefined {
  const rows = [...(row.closest("[data-rows]")?.querySelectorAll(ROW) ?? [])];
  return rows[rows.indexOf(row) + step];
}
