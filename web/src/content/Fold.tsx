import type { ReactNode } from "react";
import { useState } from "react";

type Props = { title: ReactNode; isOpen?: boolean; isBare?: boolean; children: ReactNode };

/**
 * A part of a message that is folded until the reader opens it. `isOpen` opens and closes it from outside; the reader's
 * own choice comes first. Its content is rendered when it opens. A bare one has no frame.
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
