/** Decides which addresses in a message may become links and pictures. */

const LINK = /^(https?:\/\/|mailto:)/i;
const PICTURE = /^data:image\/(png|jpe?g|gif|webp|avif);base64,/i;

/** Return an address that is safe to follow, or null. Relative ones are not: a model knows none in chatstore. */
export function safeLink(address: string | undefined): string | null {
  return address && LINK.test(address) && URL.canParse(address) ? address : null;
}

/** Return whether a picture is part of the message, so that showing it makes no request. */
export function isEmbeddedPicture(address: string): boolean {
  return PICTURE.test(address);
}

export function isRemotePicture(address: string): boolean {
  return /^https:\/\//i.test(address) && URL.canParse(address);
}

export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : "";
}

/** Return the host of a link whose text names another host, so that the reader sees where it leads; else null. */
export function otherHost(text: string, address: string): string | null {
  const named = /^(?:https?:\/\/)?((?:[\w-]+\.)+[a-z]{2,})(?=$|[/:?#\s])/i.exec(text.trim())?.[1];
  const host = hostOf(address);
  if (!named || !host || isFileName(named)) return null;
  return withoutWww(named) === withoutWww(host) ? null : host;
}

/** Return whether a text that looks like a host is more likely the name of a file, as in "[setup.py](https://…)". */
function isFileName(text: string): boolean {
  return !text.startsWith("www.") && /\.(py|rs|md|sh|pl|ts|js|cc|java|json|html|txt|go)$/i.test(text);
}

function withoutWww(host: string): string {
  return host.toLowerCase().replace(/^www\./, "");
}

export type TextPiece = { text: string; address: string | null };

/** Split a plain text into the web addresses in it and the text between them. */
export function splitAddresses(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let done = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'`]+/gi)) {
    const address = match[0].replace(/[.,;:!?)\]}*_]+$/, "");
    if (!safeLink(address)) continue;
    if (match.index > done) pieces.push({ text: text.slice(done, match.index), address: null });
    pieces.push({ text: address, address });
    done = match.index + address.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), address: null });
  return pieces;
}
