// Types of the Jupyter server extension's answers (qsession_widgets/server/).
import type { JobStatus, ServiceInfo, SessionSnapshot } from "./snapshot.gen";

export interface Service {
  /**
   * `ibm`, `local`, `local:NAME` for an emulator of another name, `joined:NAME` for a joined service, or `ibm:ACCOUNT@INSTANCE` for where
   * a note says that a session was opened.
   */
  key: string;
  info: ServiceInfo;
  /** Service clock minus the server machine's clock, seconds. */
  clock_offset: number;
  /** Service clock. */
  answered_at: number | null;
  /** One sentence; what was known stays listed. */
  problem: string | null;
  problem_since: number | null;
  account: string;
  /** Ids of workloads that are there, and of which what the service says could not be read. */
  unread?: string[];
  /** Seconds of usage that its instance has left; null where it has no limit, or does not tell. */
  quota_left?: number | null;
}

export interface OpenedBy {
  /** Path for the contents API; empty when outside of the server's root or unknown. */
  notebook: string;
  label: string;
  kernel_id: string;
  /** `alive`: a kernel of this server of which nobody tells whether a cell runs. */
  kernel: "idle" | "busy" | "alive" | "gone" | "elsewhere";
  bound: boolean;
  name: string;
  /** The kernel's action when it ends in order; empty when unknown. */
  on_exit: "close" | "leave" | "";
}

export interface WorkloadEvent {
  seq: number;
  at: number;
  kind: "stray" | "budget" | "guard";
  text: string;
}

/** At most the newest 20 jobs; `counts` counts all, and `earlier_qpu` is the QPU time of those that are left out. */
export type Snapshot = SessionSnapshot & {
  counts?: Record<JobStatus, number>;
  earlier_qpu?: number;
};

export interface Workload {
  service: string;
  snapshot: Snapshot;
  opened_by: OpenedBy | null;
  /** Further kernels that have attached it. */
  also: OpenedBy[];
  events: WorkloadEvent[];
}

/** A session as the Jupyter server knows it, and the time by its service's clock. */
export interface FedSession {
  snapshot: Snapshot;
  now(): number;
}

/** Call the listener at once and with each news of a session; undefined while the server does not know it. */
export type FollowSession = (
  sessionId: string,
  listener: (fed: FedSession | undefined) => void,
) => () => void;

export interface Overview {
  schema: number;
  revision: number;
  /** The server machine's clock, seconds since the epoch. */
  now: number;
  services: Service[];
  workloads: Workload[];
  kernels: Record<string, { state: string; path: string }>;
  /** Sessions that ended earlier than those listed: when, by the server machine's clock, dollars, and if charged. */
  spent?: [at: number, cost: number | null, charged: boolean][];
}

/** A session of the history: when it ended, by the server machine's clock, and its last snapshot, without jobs. */
export interface HistoryRow {
  at: number;
  snapshot: Snapshot;
}

export interface Device {
  name: string;
  qubits: number | null;
  /** Jobs that wait there, of everybody. */
  queue: number | null;
  works: boolean;
}

/** The options of a cell that opens a session, as they are typed. */
export interface OpenCell {
  backend: string;
  max_time: string;
  budget: string;
  idle_close: string;
}

/** The key of a workload. */
export interface WorkloadRef {
  service: string;
  id: string;
}

export type EndAction = "close" | "cancel";

/** A code for each outcome of a close or a cancel, as in qsession_widgets/model/results.py. */
export type EndCode =
  "closed" | "closing" | "cancelled" | "accepted" | "already_closed" | "job_cancelled";

export interface EndResult {
  code: EndCode;
  action: EndAction | "cancel_job";
  /** Queued jobs that a cancel of the session has cancelled. */
  cancelled: number;
  /** Jobs that still finish. */
  finishing: number;
  /** The job, for `job_cancelled`. */
  job_id?: string | null;
}

/** The result of an action from the answer of a kernel or of the Jupyter server; null when it names no outcome. */
export function endResult(
  action: EndResult["action"],
  { code, cancelled = 0, finishing = 0 }: Partial<EndResult>,
  job_id: string | null = null,
): EndResult | null {
  return code ? { code, action, cancelled, finishing, job_id } : null;
}

export function which(workload: Workload): WorkloadRef {
  return { service: workload.service, id: workload.snapshot.session_id };
}

export function keyOf({ service, id }: WorkloadRef): string {
  return `${service}/${id}`;
}

export function isOpen(workload: Workload): boolean {
  return workload.snapshot.state !== "closed";
}
