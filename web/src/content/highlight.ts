/** Asks the worker to highlight code. The worker, and with it the grammars, is loaded when the first code is shown. */

import type { Answer, Request, Token } from "./highlight.worker";

export type { Token } from "./highlight.worker";

/** The longest code that is highlighted, in characters. The elements of longer code would slow the page down. */
const LONGEST_CODE = 50_000;
const TIMEOUT = 5_000; // milliseconds for one piece of code

type Job = { request: Request; resolve: (tokens: Token[] | null) => void };

const jobs: Job[] = [];
let worker: Worker | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let lastId = 0;

/** Return the tokens of the code; null if the language is not known or the code takes too long. */
export function highlight(language: string, code: string): Promise<Token[] | null> {
  if (code.length > LONGEST_CODE) return Promise.resolve(null);
  return new Promise((resolve) => {
    jobs.push({ request: { id: ++lastId, language: language.toLowerCase(), code }, resolve });
    if (jobs.length === 1) startNext();
  });
}

function startNext(): void {
  const job = jobs[0];
  if (!job) return;
  worker ??= startWorker();
  worker.postMessage(job.request);
  timer = setTimeout(giveUp, TIMEOUT);
}

function startWorker(): Worker {
  const started = new Worker(new URL("./highlight.worker.ts", import.meta.url), { type: "module" });
  started.onmessage = ({ data }: MessageEvent<Answer>) => finish(data.tokens);
  started.onerror = giveUp;
  return started;
}

function finish(tokens: Token[] | null): void {
  clearTimeout(timer);
  jobs.shift()?.resolve(tokens);
  startNext();
}

/** Leave the code plain. A worker that does not answer is replaced. */
function giveUp(): void {
  worker?.terminate();
  worker = null;
  finish(null);
}
