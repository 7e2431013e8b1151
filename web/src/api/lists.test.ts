import { describe, expect, it } from "vitest";
import {
  belongs,
  type Conversation,
  type ConversationList,
  type ConversationPage,
  conversationsOf,
  mergeHead,
  place,
} from "./lists";
import { conversation } from "./testing";

const NEXT = "http://localhost/api/v1/conversations/?cursor=x";

/** Return the conversation that was active on this day of November. Its id is the day, too. */
function on(day: number, values: Partial<Conversation> = {}): Conversation {
  const id = String(day).padStart(2, "0");
  return conversation({ id, active_at: `2026-11-${id}T00:00:00.000000Z`, ...values });
}

function page(days: (number | Conversation)[], next: string | null = NEXT): ConversationPage {
  return { results: days.map((day) => (typeof day === "number" ? on(day) : day)), next };
}

function list(...pages: ConversationPage[]): ConversationList {
  return { pages, pageParams: pages.map(() => "") };
}

function days(result: ConversationList): number[] {
  return conversationsOf(result).map(({ id }) => Number(id));
}

describe("the conversations of a list", () => {
  it("contain one that moved to the top while the pages were read once, at the top", () => {
    const moved = on(3, { active_at: "2026-11-09T00:00:00.000000Z" });
    expect(days(list(page([moved, 5]), page([4, 3], null)))).toEqual([3, 5, 4]);
  });
});

describe("a new first page", () => {
  it("puts conversations that became active elsewhere at the top, and keeps the pages below", () => {
    const moved = on(2, { active_at: "2026-11-09T00:00:00.000000Z" });
    const before = list(page([6, 5]), page([4, 3]), page([2, 1], null));
    expect(days(mergeHead(before, page([moved, 6])))).toEqual([2, 6, 5, 4, 3, 1]);
  });

  it("removes what was trashed elsewhere", () => {
    const before = list(page([6, 5, 4]), page([3, 2], null));
    expect(days(mergeHead(before, page([6, 4, 3])))).toEqual([6, 4, 3, 2]);
  });

  it("drops the pages below if there may be others in between", () => {
    const before = list(page([3, 2]), page([1], null));
    const after = mergeHead(before, page([9, 8]));
    expect(days(after)).toEqual([9, 8]);
    expect(after.pages.at(-1)?.next).toBe(NEXT);
  });

  it("does not take one that moved for the connection to the pages below", () => {
    const moved = on(2, { active_at: "2026-11-12T00:00:00.000000Z" });
    const before = list(page([3, 2]), page([1], null));
    expect(days(mergeHead(before, page([moved, 9])))).toEqual([2, 9]);
  });

  it("is the whole list if no page follows", () => {
    expect(days(mergeHead(list(page([3, 2]), page([1], null)), page([3], null)))).toEqual([3]);
  });

  it("keeps the objects that did not change, so that their rows are not rendered again", () => {
    const before = list(page([3, 2], null));
    expect(mergeHead(before, page([3, 2], null)).pages[0]?.results[0]).toBe(before.pages[0]?.results[0]);
  });
});

describe("a change before the server has answered", () => {
  const loaded = list(page([6, 4]), page([3, 1]));

  it("removes a conversation that leaves the list", () => {
    expect(days(place(loaded, {}, [on(4, { deleted_at: "2026-11-20T00:00:00Z" })]))).toEqual([6, 3, 1]);
  });

  it("puts it back where it was, on an error", () => {
    const without = place(loaded, {}, [on(4, { is_archived: true })]);
    expect(days(place(without, {}, [on(4)]))).toEqual([6, 4, 3, 1]);
  });

  it("adds one that belongs to the list now", () => {
    expect(days(place(list(page([6, 1], null)), { tag: "work" }, [on(5, { tags: ["work"] })]))).toEqual([6, 5, 1]);
  });

  it("leaves out one that comes after the loaded pages, and adds it at the end of a list that is complete", () => {
    expect(days(place(list(page([6, 5])), {}, [on(2)]))).toEqual([6, 5]);
    expect(days(place(list(page([6, 5], null)), {}, [on(2)]))).toEqual([6, 5, 2]);
    expect(days(place(list(page([], null)), {}, [on(2)]))).toEqual([2]);
  });
});

describe("the filters of a list", () => {
  it("leave out archived conversations unless they are asked for", () => {
    const archived = on(1, { is_archived: true });
    expect(belongs({}, archived)).toBe(false);
    expect(belongs({ archived: "true" }, archived)).toBe(true);
    expect(belongs({ archived: "true" }, on(1))).toBe(false);
  });

  it("show the trash with archived conversations, and nothing of the trash elsewhere", () => {
    const trashed = on(1, { deleted_at: "2026-11-20T00:00:00Z", is_archived: true });
    expect(belongs({ trashed: "true" }, trashed)).toBe(true);
    expect(belongs({ archived: "any" }, trashed)).toBe(false);
  });

  it("compare pinned, tag and notebook", () => {
    const pinned = on(1, { is_pinned: true, tags: ["work"], notebooks: ["ideas"] });
    expect(belongs({ pinned: "true", tag: "work", notebook: "ideas" }, pinned)).toBe(true);
    expect(belongs({ pinned: "false" }, pinned)).toBe(false);
    expect(belongs({ tag: "home" }, pinned)).toBe(false);
  });
});
