// What the Jupyter server's half (qsession_widgets/server/) answers.
import type { JobStatus, ServiceInfo, SessionSnapshot } from "#shared/snapshot.gen";

export interface Service {
  /**
   * `ibm`, `local`, `local:NAME` for an emulator of another name, or `ibm:ACCOUNT@INSTANCE` for where
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
  /** What the kernel does with it when it ends in order; empty when unknown. */
  on_exit: "close" | "leave" | "";
}

export interface WorkloadEvent {
  seq: number;
  at: number;
  kind: "stray" | "budget" | "guard";
  text: string;
}

/** At most the newest 20 jobs; `counts` counts all. */
export type Snapshot = SessionSnapshot & { counts?: Record<JobStatus, number> };

export interface Workload {
  service: string;
  snapshot: Snapshot;
  opened_by: OpenedBy | null;
  events: WorkloadEvent[];
}

export interface Overview {
  schema: number;
  revision: number;
  /** The server machine's clock, seconds since the epoch. */
  now: number;
  services: Service[];
  workloads: Workload[];
  kernels: Record<string, { state: string; path: string }>;
}

/** What names a workload on this page. */
export interface Which {
  service: string;
  id: string;
}

export type Deed = "close" | "cancel";

export function which(workload: Workload): Which {
  return { service: workload.service, id: workload.snapshot.session_id };
}

export function keyOf({ service, id }: Which): string {
  return `${service}/${id}`;
}

export function isOpen(workload: Workload): boolean {
  return workload.snapshot.state !== "closed";
}
