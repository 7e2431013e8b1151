import type { ReactNode } from "react";
import { useState } from "react";

type Props = { title: ReactNode; isOpen?: boolean; isBare?: boolean; children: ReactNode };

/**
 * A collapsible part of a message, closed at first. `isOpen` opens and closes it until the reader does so. Its content is
 * rendered only while it is open. With `isBare`, it has no frame.
 */
export function Fold({ title, isOpen = false, isBare = false, children }: Props) {
  const [choice, setChoice] = useState<boolean | null>(null);
  const isShown = choice ?? isOpen;
  return (
    <details className={isBare ? "fold bare" : "fold"} open={isShown}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a summary is interactive */}
      <summary
        onClick={(event) => {
          event.preventDefault();
          setChoice(!isShown);
        }}
      >
        {title}
      </summary>
      {isShown && <div className="fold-content">{children}</div>}
    </details>
  );
}
