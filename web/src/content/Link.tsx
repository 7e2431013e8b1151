import type { ReactNode } from "react";
import { otherHost, safeLink } from "./links";

type Props = { address: string | undefined; text: string; children: ReactNode };

/** A link to another site, in a new tab. An address that is not safe shows its text only. */
export function Link({ address, text, children }: Props) {
  const href = safeLink(address);
  if (!href) return <>{children}</>;
  const host = otherHost(text, href);
  return (
    <>
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
      {host && <span className="soft"> ({host})</span>}
    </>
  );
}
