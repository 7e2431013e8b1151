import { describe, expect, it } from "vitest";
import { axisEnd, fillDays, groupByWeek, lastDays, localDate, sum } from "./usage";

const numbers = (messages: number) => ({ messages, prompt_tokens: 10 * messages, completion_tokens: 100 * messages });

describe("the days of a period", () => {
  it("end today, and pass the end of a month", () => {
    expect(lastDays(3, "2026-03-01")).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
  });

  it("are all there when the clocks change", () => {
    expect(new Set(lastDays(365, "2026-11-28")).size).toBe(365);
  });

  it("start from the date in the time zone of the browser", () => {
    expect(localDate(new Date(2026, 0, 5, 23, 59))).toBe("2026-01-05");
  });

  it("have zeros where the server knows of no message", () => {
    const days = fillDays(["2026-11-27", "2026-11-28"], [{ day: "2026-11-28", ...numbers(2) }]);
    expect(days.map((day) => [day.start, day.messages, day.completion_tokens])).toEqual([
      ["2026-11-27", 0, 0],
      ["2026-11-28", 2, 200],
    ]);
  });
});

describe("sums", () => {
  it("add each number", () => {
    expect(sum([numbers(1), numbers(2)])).toEqual(numbers(3));
  });

  it("of nothing are zero", () => {
    expect(sum([])).toEqual(numbers(0));
  });
});

describe("weeks", () => {
  const days = fillDays(
    lastDays(16, "2026-11-28"),
    lastDays(16, "2026-11-28").map((day) => ({ day, ...numbers(1) })),
  );

  it("end today, and the first one has the days that are left", () => {
    expect(groupByWeek(days).map((week) => [week.start, week.end, week.messages])).toEqual([
      ["2026-11-13", "2026-11-14", 2],
      ["2026-11-15", "2026-11-21", 7],
      ["2026-11-22", "2026-11-28", 7],
    ]);
  });

  it("keep the sum of the days", () => {
    expect(sum(groupByWeek(days))).toEqual(sum(days));
  });
});

describe("the end of an axis", () => {
  it.each([
    [0, 4],
    [3, 4],
    [7, 10],
    [10, 10],
    [11, 20],
    [38, 40],
    [41, 50],
    [1234, 2000],
  ])("of values up to %i is %i", (highest, end) => {
    expect(axisEnd(highest)).toBe(end);
  });
});
