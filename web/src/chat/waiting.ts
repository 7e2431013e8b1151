/** Waiting: for the next frame, for some time, for the connection. */

const FRAME = 250; // milliseconds, where the browser draws no frames, as in a hidden tab
const waiting = new Map<string, () => void>();

/** Call the newest function for a key once before the next frame is drawn. */
export function onFrame(key: string, callback: () => void): void {
  const isScheduled = waiting.has(key);
  waiting.set(key, callback);
  if (isScheduled) return;
  const run = () => {
    waiting.get(key)?.();
    waiting.delete(key);
  };
  if (document.hidden) setTimeout(run, FRAME);
  else requestAnimationFrame(run);
}

/** Wait so many milliseconds; less if the connection comes back or the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    }
    window.addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}

/** Calls a function when it was not restarted for so many milliseconds. */
export class Alarm {
  private timer: ReturnType<typeof setTimeout>;

  constructor(
    private readonly milliseconds: number,
    private readonly ring: () => void,
  ) {
    this.timer = setTimeout(ring, milliseconds);
  }

  restart(): void {
    this.stop();
    this.timer = setTimeout(this.ring, this.milliseconds);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
