import { describe, expect, test } from "vitest";
import { indexOfCell } from "../src/lab/state/notebookCells";

const cells = [
  { type: "markdown" },
  { type: "code", executionCount: 4 },
  { type: "code", executionCount: null, executionState: "running" },
  { type: "code", executionCount: 2 },
].map((model) => ({ model }));

describe("the cell that ran as a number", () => {
  test("by its number, wherever it stands", () => {
    expect([indexOfCell(cells, 4), indexOfCell(cells, 2)]).toEqual([1, 3]);
  });
  test("one that runs has no number yet and will have the highest", () => {
    expect(indexOfCell(cells, 5)).toBe(2);
  });
  test("none where it was deleted or run again", () => {
    expect([indexOfCell(cells, 3), indexOfCell([], 1)]).toEqual([-1, -1]);
  });
});
