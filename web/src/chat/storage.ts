/** Texts that stay in the browser, also after a reload. If the browser stores nothing, they stay until the reload. */

const PREFIX = "chatstore.";
const memory = new Map<string, string>();

export function readText(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key) ?? memory.get(key) ?? null;
  } catch {
    return memory.get(key) ?? null;
  }
}

/** Store a text, or remove it if it is empty. */
export function writeText(key: string, value: string): void {
  memory.delete(key);
  try {
    if (value) localStorage.setItem(PREFIX + key, value);
    else localStorage.removeItem(PREFIX + key);
  } catch {
    if (value) memory.set(key, value); // the storage is full, or forbidden
  }
}

/** List the keys that begin with a text. */
export function keysWith(start: string): string[] {
  const stored: string[] = [];
  try {
    for (let index = 0; index < localStorage.length; index += 1) stored.push(localStorage.key(index) ?? "");
  } catch {
    // the storage is forbidden
  }
  const own = stored.filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
  return [...new Set([...own, ...memory.keys()])].filter((key) => key.startsWith(start));
}

/**
 * Call a function with the key of each text that another tab changes, and with the text before. Return the function
 * that stops this.
 */
export function onStored(listener: (key: string, before: string | null) => void): () => void {
  const handle = ({ key, oldValue }: StorageEvent) => {
    if (key?.startsWith(PREFIX)) listener(key.slice(PREFIX.length), oldValue);
  };
  window.addEventListener("storage", handle);
  return () => window.removeEventListener("storage", handle);
}
