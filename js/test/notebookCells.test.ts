import { describe, expect, test } from "vitest";
import type { NotebookCell } from "@jupyterlab/notebook";
import { placeOf } from "../src/lab/state/notebookCells";

const cells = [
  { type: "markdown" },
  { type: "code", executionCount: 4 },
  { type: "code", executionCount: null, executionState: "running" },
  { type: "code", executionCount: 2 },
].map((model) => ({ model }) as unknown as NotebookCell);

describe("the cell that ran as a number", () => {
  test("by its number, wherever it stands", () => {
    expect([placeOf(cells, 4), placeOf(cells, 2)]).toEqual([1, 3]);
  });
  test("one that runs has no number yet and will have the highest", () => {
    expect(placeOf(cells, 5)).toBe(2);
  });
  test("none where it was deleted or run again", () => {
    expect([placeOf(cells, 3), placeOf([], 1)]).toEqual([-1, -1]);
  });
});
