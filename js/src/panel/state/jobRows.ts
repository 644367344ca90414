// The jobs of a session as the kernel sends them: rows by their place, changed by patches, read as records in order of creation.
import { continueSums } from "#shared/jobAggregates";
import type { JobRecord } from "#shared/snapshot.gen";
import { fillRow, isPatch, patchRow, readRow, type FullRow, type Row } from "./protocol";

export class JobRows {
  /** In order of creation. */
  jobs: JobRecord[] = [];
  readonly #rows: FullRow[] = [];
  readonly #positions = new Map<string, number>();

  /** Take what is new, or all there is; the jobs it speaks of. */
  take(rows: Row[], reset: boolean, epoch: number): JobRecord[] {
    if (reset) {
      this.#rows.length = 0;
      this.#positions.clear();
    }
    const touched = new Map<string, JobRecord>();
    for (const row of rows) {
      const job = this.#takeRow(row, epoch);
      if (job) touched.set(job.id, job);
    }
    this.jobs = reset ? inOrder([...touched.values()]) : mergeJobs(this.jobs, touched);
    return [...touched.values()];
  }

  /** The id of the job in a row. */
  idAt(row: number): string | null {
    return this.#rows[row]?.[0] ?? null;
  }

  /** The row of a job. */
  positionOf(id: string): number | undefined {
    return this.#positions.get(id);
  }

  #takeRow(row: Row, epoch: number): JobRecord | null {
    let position: number;
    let full: FullRow;
    if (isPatch(row)) {
      position = row[0];
      const known = this.#rows[position];
      if (!known) return null;
      full = patchRow(known, row);
    } else {
      position = this.#positions.get(row[0]) ?? this.#rows.length;
      full = fillRow(row);
      this.#positions.set(row[0], position);
    }
    this.#rows[position] = full;
    return readRow(full, epoch);
  }
}

function mergeJobs(jobs: JobRecord[], touched: Map<string, JobRecord>): JobRecord[] {
  const merged = jobs.slice();
  const left = new Map(touched);
  let same = jobs.length;
  // what changes is among the latest, as a rule: look from the end
  for (let i = merged.length - 1; i >= 0 && left.size > 0; i--) {
    const changed = left.get(merged[i]!.id);
    if (!changed) continue;
    merged[i] = changed;
    left.delete(changed.id);
    same = i;
  }
  merged.push(...left.values());
  const ordered = inOrder(merged);
  if (ordered === merged) continueSums(jobs, merged, same);
  return ordered;
}

/** The same list when it is in order already, as nearly always. */
function inOrder(jobs: JobRecord[]): JobRecord[] {
  for (let i = 1; i < jobs.length; i++) {
    if (jobs[i - 1]!.created > jobs[i]!.created) {
      return jobs.toSorted((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));
    }
  }
  return jobs;
}
