// A session as the overview of the lab has it, for tests.
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import type { JobRecord } from "#shared/snapshot.gen";
import { type OpenedBy, type Snapshot, type Workload } from "../src/shared/serverTypes";

export const NOW = 2000;
export const job = (fields: Partial<JobRecord>) =>
  ({ ...vectors.default_job, ...fields }) as JobRecord;
export const done = (id: string) =>
  job({ id, status: "done", created: 1900, started: 1901, finished: 1982 });
export const by = (fields: Partial<OpenedBy> = {}): OpenedBy => ({
  notebook: "a.ipynb",
  label: "a.ipynb",
  kernel_id: "k1",
  kernel: "idle",
  bound: true,
  name: "",
  on_exit: "close",
  ...fields,
});
export const active: Partial<Snapshot> = {
  session_id: "7b695108-3f0e-4c55-9d2c-6a1f0b22f50a",
  backend: "ibm_fez",
  state: "active",
  opened_at: 1890,
  started_at: 1901,
  activated_at: 1901,
  last_job_started: 1901,
  last_job_completed: 1982,
  interactive_ttl: 60,
  max_ttl: 7200,
  active_periods: [[1901, null]],
  jobs: [done("j1")],
};
export const workload = (
  fields: Partial<Snapshot> = {},
  opened: Partial<OpenedBy> | null = {},
  extra: Partial<Workload> = {},
): Workload => ({
  service: "ibm",
  snapshot: { ...vectors.default_snapshot, ...active, ...fields } as Snapshot,
  opened_by: opened === null ? null : by(opened),
  also: [],
  events: [],
  ...extra,
});
