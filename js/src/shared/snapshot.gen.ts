// Generated from qsession_widgets/snapshot.py by scripts/generate_types.py; change it there.

export const SCHEMA_VERSION = 1;

export const EMPTY_SESSION_TTL = 1800;

export interface JobRecord {
  id: string;
  program: string;
  status: "queued" | "running" | "done" | "cancelled" | "failed";
  created: number;
  started: number | null;
  finished: number | null;
  exact: boolean;
  qpu_seconds: number | null;
  pubs: number | null;
  error: string | null;
  error_code: number | null;
  stray: boolean;
}

export interface ServiceInfo {
  kind: "ibm" | "local";
  label: string;
  plan: string;
  price_per_second: number | null;
  charged: boolean;
  speed: number;
}

export interface SessionSnapshot {
  session_id: string;
  mode: "dedicated" | "batch";
  backend: string;
  service: ServiceInfo;
  state: "open" | "active" | "inactive" | "closed";
  answered_at: number;
  state_reason: string | null;
  accepting_jobs: boolean;
  opened_at: number | null;
  started_at: number | null;
  activated_at: number | null;
  closed_at: number | null;
  last_job_started: number | null;
  last_job_completed: number | null;
  interactive_ttl: number | null;
  max_ttl: number | null;
  active_periods: [number, number | null][];
  usage_seconds: number | null;
  usage_final: boolean;
  jobs: JobRecord[];
  others: [number, number | null, number | null][];
  queue_length: number | null;
  clock_offset: number;
  poll_interval: number;
  problem: string | null;
  problem_since: number | null;
  expected_jobs: number | null;
  name: string;
  notebook: string;
  schema: number;
}

export type JobStatus = JobRecord["status"];
