/**
 * Reads `parts`, the structured content of a message. It is any JSON. The formats of OpenAI's chat completions and
 * responses, of Anthropic's messages and of Vercel's AI SDK are known. Everything else is shown as JSON.
 */

export type Piece =
  | { kind: "text" | "refusal" | "reasoning"; text: string }
  | { kind: "picture"; address: string; description: string }
  | { kind: "file"; name: string; data: string }
  | { kind: "json"; name: string; value: unknown };

type Fields = Record<string, unknown>;

const TEXTS = new Set(["text", "input_text", "output_text", "summary_text"]);
const REASONING = new Set(["reasoning", "thinking"]);
const PICTURES = new Set(["image", "image_url", "input_image"]);
const FILES = new Set(["file", "input_file", "document", "input_audio", "audio"]);
const SILENT = new Set(["step-start"]); // has no content

/** Return the pieces of `parts`. Texts that `content` has already are left out. */
export function readParts(parts: unknown, content: string): Piece[] {
  if (parts === null || parts === undefined) return [];
  const elements = Array.isArray(parts) ? parts : [parts];
  return elements
    .map(readPart)
    .filter((piece) => piece !== null && !(isText(piece) && content.includes(piece.text))) as Piece[];
}

function isText(piece: Piece): piece is Extract<Piece, { text: string }> {
  return piece.kind === "text";
}

function readPart(part: unknown): Piece | null {
  if (typeof part === "string") return { kind: "text", text: part };
  if (!isFields(part)) return { kind: "json", name: "JSON", value: part };
  const type = textIn(part, "type") || "text";
  if (SILENT.has(type)) return null;
  return readText(type, part) ?? readMedia(type, part) ?? { kind: "json", name: type, value: part };
}

function readText(type: string, part: Fields): Piece | null {
  const text = textIn(part, "text", "thinking", "refusal");
  if (type === "refusal") return { kind: "refusal", text };
  if (REASONING.has(type)) return text ? { kind: "reasoning", text } : null;
  return TEXTS.has(type) && typeof part.text === "string" ? { kind: "text", text } : null;
}

function readMedia(type: string, part: Fields): Piece | null {
  if (!PICTURES.has(type) && !FILES.has(type)) return null;
  const media = nested(part);
  const address = textIn(media, "url", "file_data", "image_url", "image", "data");
  const mediaType = textIn(media, "mime_type", "media_type", "mediaType", "mimeType") || formatOf(type, media);
  const data = /^(https?|data):/i.test(address) || !mediaType ? address : `data:${mediaType};base64,${address}`;
  const name = textIn(media, "filename", "name", "title");
  if (PICTURES.has(type) || /^data:image\//i.test(data)) {
    return data ? { kind: "picture", address: data, description: name || textIn(part, "alt") } : null;
  }
  return { kind: "file", name: name || textIn(media, "file_id", "id") || type, data };
}

/** Return the part, with the fields of the object in it that describes the file. */
function nested(part: Fields): Fields {
  const inner = ["file", "source", "input_audio", "image_url", "audio"].map((name) => part[name]).find(isFields);
  return { ...part, ...inner };
}

function formatOf(type: string, media: Fields): string {
  const format = textIn(media, "format");
  return format && type.includes("audio") ? `audio/${format}` : "";
}

function textIn(fields: Fields, ...names: string[]): string {
  const value = names.map((name) => fields[name]).find((value) => typeof value === "string" && value !== "");
  return (value as string | undefined) ?? "";
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
