/** Waiting: for the next frame, for some time, for the connection. */

const FRAME = 250; // milliseconds. In a hidden tab, the browser draws no frames
const waiting = new Map<string, () => void>();

/** Call a function before the next frame is drawn. Of several functions with the same key, only the newest is called. */
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

/** Wait until the time is over, the connection comes back, or the signal aborts. */
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

/** Calls `ring` if `restart` is not called for a number of milliseconds (a watchdog timer). */
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
