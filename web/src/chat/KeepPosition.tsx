import { Component, type ReactNode, type RefObject } from "react";

type Props = { scroller: RefObject<HTMLElement | null>; isSticky: boolean; children: ReactNode };
type Anchor = { id: string; top: number };

/**
 * Keeps the first visible message where it is when messages are added or removed above it.
 *
 * Browsers do this by themselves, but not at the very top, and Safari does not do it at all. It is a class, because
 * only a class can measure the page before React changes it.
 */
export class KeepPosition extends Component<Props> {
  override getSnapshotBeforeUpdate(): Anchor | null {
    const scroller = this.props.scroller.current;
    return scroller && !this.props.isSticky ? findAnchor(scroller) : null;
  }

  override componentDidUpdate(_props: Props, _state: unknown, anchor: Anchor | null): void {
    const scroller = this.props.scroller.current;
    const element = anchor && document.getElementById(anchor.id);
    if (!scroller || !element) return;
    const moved = element.getBoundingClientRect().top - anchor.top;
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
