import { describe, expect, test } from "vitest";
import { SETTLE_MS, Settled } from "../src/shared/settled";

const at = { x: 100, y: 40 };
const key = (timeStamp: number) => ({ timeStamp, detail: 0 });
const click = (timeStamp: number, detail = 1) => ({ timeStamp, detail });

function seen(meaning = "", place = at): Settled {
  const settled = new Settled();
  settled.see(meaning, place, 1000);
  return settled;
}

describe("a control that has just become what it is", () => {
  test("takes nothing for half a second after it appeared", () => {
    expect(seen().takes(click(1000 + SETTLE_MS - 1))).toBe(false);
    expect(seen().takes(key(1000 + SETTLE_MS - 1))).toBe(false);
    expect(seen().takes(click(1000 + SETTLE_MS))).toBe(true);
    expect(seen().takes(key(1000 + SETTLE_MS))).toBe(true);
  });
  test("takes no click that was made before it appeared and arrives late", () => {
    expect(seen().takes(click(900))).toBe(false);
  });
  test("begins anew when it does something else, not when it is drawn again", () => {
    const settled = seen("close");
    settled.see("close", at, 1900);
    expect(settled.takes(click(2000))).toBe(true);
    settled.see("refused", at, 2000);
    expect(settled.settling("refused", 2100)).toBe(true);
    expect(settled.takes(click(2100))).toBe(false);
    expect(settled.settling("refused", 2500)).toBe(false);
    expect(settled.takes(click(2500))).toBe(true);
  });
  test("is settling before it is drawn with its new meaning", () => {
    expect(seen("refused").settling("close", 9000)).toBe(true);
  });
});

describe("a control that has just moved", () => {
  test("takes no click, but a key: the focus moves with it", () => {
    const settled = seen();
    expect(settled.see("", { x: 100, y: 73 }, 5000)).toBe(true);
    expect(settled.settling("", 5100)).toBe(true);
    expect(settled.takes(click(5100))).toBe(false);
    expect(settled.takes(key(5100))).toBe(true);
    expect(settled.takes(click(5000 + SETTLE_MS))).toBe(true);
  });
  test("may move by as little as a word changes", () => {
    const settled = seen();
    expect(settled.see("", { x: 104, y: 41 }, 5000)).toBe(false);
    expect(settled.takes(click(5100))).toBe(true);
  });
});

describe("a double click", () => {
  test("is no answer with its second click, however slow it is", () => {
    expect(seen().takes(click(1800, 2))).toBe(false);
  });
  test("counts where all of it was on the same control", () => {
    const settled = seen();
    expect(settled.takes(click(1300))).toBe(false);
    expect(settled.takes(click(1600, 2))).toBe(true);
  });
});
