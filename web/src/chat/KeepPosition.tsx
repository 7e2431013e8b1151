import { Component, type ReactNode, type RefObject } from "react";

type Props = { scroller: RefObject<HTMLElement | null>; children: ReactNode };
type Anchor = { id: string; top: number };
type Before = { anchor: Anchor | null; hasFocus: boolean };

/**
 * Keeps the first visible message where it is when messages are added or removed above it, and the focus in the thread
 * when the focused message is removed.
 *
 * Browsers do this by themselves (scroll anchoring), but not at the very top, and Safari does not do it at all. This is a
 * class, because only a class can measure the page before React changes it.
 */
export class KeepPosition extends Component<Props> {
  override getSnapshotBeforeUpdate(): Before {
    const scroller = this.props.scroller.current;
    return {
      anchor: scroller && findAnchor(scroller),
      hasFocus: Boolean(scroller?.contains(document.activeElement)),
    };
  }

  override componentDidUpdate(_props: Props, _state: unknown, { anchor, hasFocus }: Before): void {
    const scroller = this.props.scroller.current;
    if (!scroller) return;
    if (hasFocus && document.activeElement === document.body) scroller.focus({ preventScroll: true });
    const element = anchor && document.getElementById(anchor.id);
    const moved = element ? element.getBoundingClientRect().top - anchor.top : 0;
    if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
  }

  override render(): ReactNode {
    return this.props.children;
  }
}

function findAnchor(scroller: HTMLElement): Anchor | null {
  const { top } = scroller.getBoundingClientRect();
  for (const element of scroller.querySelectorAll("article[id]")) {
    const box = element.getBoundingClientRect();
    if (box.bottom > top) return { id: element.id, top: box.top };
  }
  return null;
}
