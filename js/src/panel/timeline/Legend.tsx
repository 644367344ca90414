// What the marks of the timeline stand for: those that it has.
import { t } from "#shared/translation";
import { sumsOf } from "#shared/jobAggregates";
import type { SessionStore } from "../state/store";

/** `best`: whether the line of the best value so far is beside it. */
export function Legend({ store, best }: { store: SessionStore; best: boolean }) {
  const { snapshot } = store;
  const { counts, reused } = sumsOf(snapshot.jobs);
  const { charged } = snapshot.service;
  const entries: [kind: string, words: string, shown: boolean][] = [
    ["done", t`done`, true],
    ["reused", t`reused`, reused > 0],
    ["running", t`running`, true],
    ["queued", t`waiting`, true],
    ["failed", t`failed`, counts.failed > 0],
    ["cancelled", t`cancelled`, counts.cancelled > 0],
    ["idle", charged ? t`idle, billed` : t`idle, would be billed`, snapshot.mode === "dedicated"],
    ["best", t`best so far`, best && store.shownSeries !== null],
  ];
  return (
    <ul class="qs-legend" aria-label={t`Marks of the timeline`}>
      {entries.map(
        ([kind, words, shown]) =>
          shown && (
            <li key={kind}>
              <i class={`qs-mark qs-mark-${kind}`} />
              {words}
            </li>
          ),
      )}
    </ul>
  );
}
