/** Computes the data of the usage charts: each day of a period, sums, weeks and a scale. */

export type Numbers = { messages: number; prompt_tokens: number; completion_tokens: number };
export type Period = Numbers & { start: string; end: string };

const DAY = 24 * 3600 * 1000;
const NOTHING: Numbers = { messages: 0, prompt_tokens: 0, completion_tokens: 0 };

/** Return the dates of the last `count` days until `today`, oldest first. Dates are texts like 2026-11-28. */
export function lastDays(count: number, today: string): string[] {
  const end = Date.parse(today);
  return Array.from({ length: count }, (_, index) =>
    new Date(end - (count - 1 - index) * DAY).toISOString().slice(0, 10),
  );
}

/** Return the date of a time, in the time zone of the browser. */
export function localDate(now: Date): string {
  const parts = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}

/** Return each of the days with its numbers. The server leaves out days without messages. */
export function fillDays(days: string[], known: readonly (Numbers & { day: string })[]): Period[] {
  const byDay = new Map(known.map((numbers) => [numbers.day, numbers]));
  return days.map((day) => ({ ...NOTHING, ...byDay.get(day), start: day, end: day }));
}

export function sum(numbers: readonly Numbers[]): Numbers {
  return numbers.reduce(
    (total, item) => ({
      messages: total.messages + item.messages,
      prompt_tokens: total.prompt_tokens + item.prompt_tokens,
      completion_tokens: total.completion_tokens + item.completion_tokens,
    }),
    NOTHING,
  );
}

/** Group the periods by seven. The last group ends with the last period, so the first one can be shorter. */
export function groupByWeek(periods: readonly Period[]): Period[] {
  const first = periods.length % 7;
  const starts = [...(first ? [0] : []), ...range(first, periods.length, 7)];
  return starts.map((start, index) => {
    const group = periods.slice(start, starts[index + 1] ?? periods.length);
    return { ...sum(group), start: group[0]?.start ?? "", end: group.at(-1)?.end ?? "" };
  });
}

function range(start: number, end: number, step: number): number[] {
  return Array.from({ length: Math.ceil((end - start) / step) }, (_, index) => start + index * step);
}

/** Return the end of an axis for values up to `highest`: the next 1, 2, 4 or 5 times a power of ten, at least 4. */
export function axisEnd(highest: number): number {
  if (highest <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(highest));
  const factor = [1, 2, 4, 5, 10].find((factor) => factor * power >= highest) ?? 10;
  return factor * power;
}
