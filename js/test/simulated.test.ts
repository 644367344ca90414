import { describe, expect, it } from "vitest";
import { simulated } from "../src/panel/components/Simulated";
import { fillRow, readRow, type FullRow } from "../src/panel/state/protocol";

const HOW = "Simulated by stabilizer simulation, gate noise twirled to Pauli channels.";
const job = (flags: number, ...cells: (string | null)[]) =>
  readRow(
    fillRow([
      ...["id", "sampler", "d", 0, 1, 4096, 3, 14, 5, 9, flags, 2, "0 5,1 3", "R=1", null, null],
      ...cells,
    ] as FullRow),
    1000,
  );

describe("what is not exact", () => {
  it("is read from a row", () => {
    const asked = { pubs: 1, shots: 4096, precision: null, cell: 3, line: 14, label: "R=1" };
    expect(job(1)).toMatchObject({
      ...asked,
      top_counts: [
        ["0", 5],
        ["1", 3],
      ],
    });
    expect(job(5)).toMatchObject({ method: "exact", approximation: null, no_effect: [] });
    expect(job(1)).toMatchObject({ method: null, exact: true });
    const told = { method: "stabilizer", approximation: HOW, no_effect: ["a", "b"] };
    expect(job(1, "stabilizer", HOW, "a, b")).toMatchObject(told);
  });

  it("has one line in the panel", () => {
    expect(simulated([job(5), job(1)])).toBe("");
    expect(simulated([job(5), job(1, "stabilizer", HOW)])).toBe(`1 job is not exact. ${HOW}`);
    const jobs = [
      job(1, "mps", "Otherwise."),
      job(1, "stabilizer", HOW, "a"),
      job(5, null, null, "a, b"),
    ];
    expect(simulated(jobs)).toBe(
      `2 jobs are not exact. The last: ${HOW} Options without effect in the emulator: a, b.`,
    );
  });
});
