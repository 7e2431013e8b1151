import { describe, expect, it } from "vitest";
import { idsBetween, withToggled } from "./selection";

const LIST = ["a", "b", "c", "d"];

describe("a range of selected conversations", () => {
  it("goes up or down, and contains both ends", () => {
    expect(idsBetween(LIST, "b", "d")).toEqual(["b", "c", "d"]);
    expect(idsBetween(LIST, "c", "a")).toEqual(["a", "b", "c"]);
  });

  it("is one conversation if the other end has left the list", () => {
    expect(idsBetween(LIST, "gone", "c")).toEqual(["c"]);
  });

  it("gets the state that the pressed one changes to", () => {
    expect([...withToggled(new Set(["b"]), ["a", "b", "c"], "c")].sort()).toEqual(["a", "b", "c"]);
    expect([...withToggled(new Set(["a", "b", "c"]), ["b", "c"], "c")]).toEqual(["a"]);
  });
});
