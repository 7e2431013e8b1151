import type { ReactNode } from "react";
import { otherHost, safeLink } from "./links";

type Props = { address: string | undefined; text: string; children: ReactNode };

/** A link to another site, in a new tab. If the address is not safe, only the text is shown. */
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
