// Lines below the list of jobs: what was not paid again; what is not exact of the results, and which options the emulator
// ignored. None where there is nothing to say.
import { t } from "#shared/translation";
import { plural } from "#shared/formatting";
import { reusedWords } from "#shared/messages/labels";
import { reused } from "#shared/metrics";
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";

export function NotPaidAgain({ snapshot }: { snapshot: SessionSnapshot }) {
  const taken = reused(snapshot);
  if (taken === null) return null;
  return (
    <p class="qs-simulated">
      <i class="qs-mark qs-mark-reused" />
      {reusedWords(taken, snapshot.service.charged)}.
    </p>
  );
}

export function Simulated({ jobs }: { jobs: readonly JobRecord[] }) {
  const text = simulated(jobs);
  return text === "" ? null : <p class="qs-simulated">{text}</p>;
}

const known = new WeakMap<readonly JobRecord[], string>();

/** The line for these jobs, made once for each list of them; empty where there is nothing to say. */
export function simulated(jobs: readonly JobRecord[]): string {
  let text = known.get(jobs);
  if (text === undefined) {
    text = describe(jobs);
    known.set(jobs, text);
  }
  return text;
}

function describe(jobs: readonly JobRecord[]): string {
  const approximated = jobs.filter((job) => job.approximation !== null);
  const ignored = new Set(jobs.flatMap((job) => job.no_effect));
  const last = approximated[approximated.length - 1];
  const parts: string[] = [];
  if (last) {
    const of = `${plural(approximated.length, "job")} ${approximated.length === 1 ? "is" : "are"}`;
    parts.push(
      t`${of} not exact. ${approximated.length > 1 ? t`The last: ` : ""}${last.approximation}`,
    );
  }
  if (ignored.size > 0) {
    parts.push(t`Options without effect in the emulator: ${[...ignored].join(", ")}.`);
  }
  return parts.join(" ");
}
