/** Shows the invisible characters that change the direction of text. With them, a text can look like another text. */

const IN_CODE = /[\u202A-\u202E\u2066-\u2069]/g;
const OVERRIDES = /[\u202D\u202E]/g;

/** Return code with a visible name in the place of each character that changes the direction (CVE-2021-42574). */
export function showHiddenCharacters(code: string): string {
  return code.replace(IN_CODE, nameOf);
}

/** Return prose without hidden overrides. Embeddings and isolates stay: right-to-left texts need them. */
export function showOverrides(text: string): string {
  return text.replace(OVERRIDES, nameOf);
}

function nameOf(character: string): string {
  return `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`;
}
