// Placeholders for pending jobs that are counted but not loaded, so that sums and countdowns are right.
import type { JobRecord, JobStatus } from "./snapshot.gen";

/** A job of which nothing is known. */
export const BLANK: JobRecord = {
  id: "",
  program: "",
  status: "queued",
  created: 0,
  started: null,
  finished: null,
  exact: false,
  qpu_seconds: null,
  pubs: null,
  shots: null,
  precision: null,
  error: null,
  error_code: null,
  cell: null,
  line: null,
  label: "",
  top_counts: [],
  stray: false,
  reused: false,
  method: null,
  approximation: null,
  no_effect: [],
};

export function isPlaceholder({ id }: JobRecord): boolean {
  return /^(queued|running)-\d+$/.test(id);
}

/** The pending jobs of `counts`, running ones first; `known` of each status are here already. */
export function placeholders(
  counts: Record<JobStatus, number>,
  created: number,
  known: (status: JobStatus) => number = () => 0,
): JobRecord[] {
  return (["running", "queued"] as const).flatMap((status) => {
    const missing = Math.max(0, counts[status] - known(status));
    return Array.from({ length: missing }, (_, i) => {
      return { ...BLANK, id: `${status}-${i}`, status, created };
    });
  });
}
