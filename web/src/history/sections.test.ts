import i18next from "i18next";
import { beforeAll, describe, expect, it } from "vitest";
import { conversation } from "../api/testing";
import { groupByTime } from "./sections";

const NOW = new Date(2026, 10, 28, 9, 30);

function titlesAt(...times: Date[]): string[] {
  const conversations = times.map((time) => conversation({ active_at: time.toISOString() }));
  return groupByTime(conversations, NOW).map(({ title }) => title);
}

describe("the sections of the sidebar", () => {
  beforeAll(() => i18next.init({ lng: "en", keySeparator: false, nsSeparator: false }));

  it("begins days at midnight of the user's time", () => {
    expect(titlesAt(new Date(2026, 10, 28, 0, 0), new Date(2026, 10, 27, 23, 59))).toEqual(["Today", "Yesterday"]);
  });

  it("shows the days before yesterday together, then months", () => {
    const times = [new Date(2026, 10, 21), new Date(2026, 10, 20, 23, 59), new Date(2026, 9, 31), new Date(2025, 9, 1)];
    expect(titlesAt(...times)).toEqual(["Last 7 days", "November", "October", "October 2025"]);
  });

  it("keeps a day together and leaves out days without conversations", () => {
    expect(titlesAt(new Date(2026, 10, 28, 9), new Date(2026, 10, 28, 8), new Date(2026, 10, 22))).toEqual([
      "Today",
      "Last 7 days",
    ]);
  });

  it("takes a time in the future, from a clock that is wrong, for today", () => {
    expect(titlesAt(new Date(2026, 10, 30))).toEqual(["Today"]);
  });
});
