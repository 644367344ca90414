import { expect, test } from "vitest";
import { toComeWords } from "../src/panel/components/Progress";
import type { ServiceInfo } from "../src/shared/snapshot.gen";

const service = (price_per_second: number | null, charged = true) =>
  ({ price_per_second, charged }) as ServiceInfo;

test("what is still to come is told in time and dollars, and what has no room by its cause", () => {
  // 18 to 22 s of usage are $14.40 to $17.60 at $0.80 a second
  expect(toComeWords([18, 22, 18, 22, 8, 3, 2], service(0.8))).toEqual({
    left: "≈ 18 s to 22 s left, $14.40 to $17.60 more",
    lost: "about 8 jobs will fail",
  });
  expect(toComeWords([18, 22, 18, 22, 0, 3, 2], service(0.8, false))).toEqual({
    left: "≈ 18 s to 22 s left, would be $14.40 to $17.60 more",
    lost: "no budget left for about 3 jobs",
  });
  expect(toComeWords([18, 22, 18, 22, 2, 3, 4], service(0.8)).lost).toBe(
    "no quota left for about 4 jobs",
  );
  expect(toComeWords([5, 5, 5, 5, 0, 0, 0], service(null))).toEqual({
    left: "≈ 5.0 s left, within all limits",
    lost: "",
  });
  expect(toComeWords(null, service(0.8))).toEqual({ left: "", lost: "" });
});
