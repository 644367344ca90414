// Jobs that were counted and are not here: they stand in for themselves, so that sums and clocks are right.
import type { JobRecord, JobStatus } from "./snapshot.gen";

const BLANK: JobRecord = {
  id: "",
  program: "",
  status: "queued",
  created: 0,
  started: null,
  finished: null,
  exact: false,
  qpu_seconds: null,
  pubs: null,
  error: null,
  error_code: null,
  stray: false,
};

/** The pending jobs of `counts`, running ones first; `known` of each status are here already. */
export function standIns(
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
