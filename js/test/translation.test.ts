import { afterEach, expect, test } from "vitest";
import { CATALOGUE, offerCatalogue, plural, sentences, t } from "#shared/translation";

const page = globalThis as { [CATALOGUE]?: unknown };
afterEach(() => {
  delete page[CATALOGUE];
});

const WORDS = sentences({ cell: "run %%session, then wait" });

test("without a catalogue, words are English", () => {
  expect(t`closes in ${"0:12"}, at 50 %`).toBe("closes in 0:12, at 50 %");
  expect(WORDS.cell).toBe("run %%session, then wait");
  expect([plural(1, "job"), plural(2, "job"), plural(0, "entry", "entries")]).toEqual([
    "1 job",
    "2 jobs",
    "0 entries",
  ]);
});

test("a catalogue that came later is asked with the sentence and its values", () => {
  const asked: unknown[] = [];
  offerCatalogue({
    gettext: (...all) => {
      asked.push(all);
      return "übersetzt";
    },
    ngettext: (...all) => {
      asked.push(all);
      return "gezählt";
    },
  });
  expect([t`${2} of ${"3"}, run %session`, WORDS.cell, plural(2, "job")]).toEqual([
    "übersetzt",
    "übersetzt",
    "gezählt",
  ]);
  expect(asked).toEqual([
    ["%1 of %2, run %%session", "2", "3"],
    ["run %%%%session, then wait"],
    ["%1 job", "%1 jobs", 2],
  ]);
});
