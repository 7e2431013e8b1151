import { describe, expect, it } from "vitest";
import { expiryTime } from "./expiry";

const NOW = new Date("2026-11-28T10:00:00Z");

describe("the expiry of a token", () => {
  it("is a number of days after now", () => {
    expect(expiryTime({ choice: "30", date: "" }, NOW)).toBe("2026-12-28T10:00:00.000Z");
  });

  it("is null if the token never expires", () => {
    expect(expiryTime({ choice: "never", date: "2027-01-01" }, NOW)).toBeNull();
  });

  it("is the end of a chosen day", () => {
    expect(expiryTime({ choice: "date", date: "2027-01-01" }, NOW)).toBe(
      new Date(2027, 0, 1, 23, 59, 59).toISOString(),
    );
  });

  it("is missing while no day is chosen", () => {
    expect(expiryTime({ choice: "date", date: "" }, NOW)).toBeUndefined();
  });
});
