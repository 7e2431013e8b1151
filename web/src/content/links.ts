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

/** A word that begins with a host, such as "(https://a.example/b". Letters of other scripts can look like Latin ones. */
const HOST = /^[^\p{L}\p{N}]*(https?:[\\/]*)?((?:[\p{L}\p{N}_-]+\.)+\p{L}{2,})/iu;
/** The longest text in which hosts are looked for, in characters. */
const LONGEST_TEXT = 2_000;

/** Return the host of a link whose text names another host, so that the reader sees where it leads; else null. */
export function otherHost(text: string, address: string): string | null {
  const host = hostOf(address);
  return host && hostsIn(text).some((name) => !isSameHost(name, host)) ? host : null;
}

/** Return the hosts that a reader sees in a text. Signs without a shape are no part of them. */
function hostsIn(text: string): string[] {
  const visible = text
    .slice(0, LONGEST_TEXT)
    .normalize("NFKC")
    .replace(/\p{Cf}/gu, "")
    .replaceAll("。", ".");
  return visible.split(/\s+/).flatMap((word) => {
    const [, scheme, name] = HOST.exec(word) ?? [];
    return name && (scheme || !isFileName(name)) ? [name] : [];
  });
}

function isSameHost(name: string, host: string): boolean {
  return withoutWww(hostOf(`https://${name}`) || name) === withoutWww(host.replace(/:\d+$/, ""));
}

/** Return whether a text that looks like a host is more likely the name of a file, as in "[setup.py](https://…)". */
function isFileName(text: string): boolean {
  return !text.startsWith("www.") && /\.(py|rs|md|sh|pl|ts|js|cc|java|json|html|txt|go)$/i.test(text);
}

function withoutWww(host: string): string {
  return host.toLowerCase().replace(/^www\./, "");
}

/** Remove the punctuation after an address. A pattern with `+$` takes quadratic time for punctuation in the middle. */
function withoutPunctuation(address: string): string {
  let end = address.length;
  while (".,;:!?)]}*_".includes(address[end - 1] ?? " ")) end -= 1;
  return address.slice(0, end);
}

export type TextPiece = { text: string; address: string | null };

/** Split a plain text into the web addresses in it and the text between them. */
export function splitAddresses(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let done = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'`]+/gi)) {
    const address = withoutPunctuation(match[0]);
    if (!safeLink(address)) continue;
    if (match.index > done) pieces.push({ text: text.slice(done, match.index), address: null });
    pieces.push({ text: address, address });
    done = match.index + address.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), address: null });
  return pieces;
}
