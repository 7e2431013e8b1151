import i18next from "i18next";
import { beforeAll, describe, expect, it } from "vitest";
import { endOf } from "./ends";

beforeAll(async () => {
  await i18next.init({ lng: "en", keySeparator: false, nsSeparator: false });
});

describe("the expiry of a link", () => {
  it("is shown with its day and hour", () => {
    expect(endOf(new Date(2027, 0, 5, 14, 30).toISOString())).toMatch(/^expires on Jan 5, 2027, 2:30\sPM$/);
  });

  it("says so if the link never expires", () => {
    expect(endOf(null)).toBe("never expires");
  });
});
