// The messages between the panel and its kernel half (qsession_widgets/views/panel.py), and how a job's row is unpacked.
import type { JobRecord, JobStatus, SessionSnapshot } from "#shared/snapshot.gen";

/** The parts of anywidget's model the panel uses. */
export interface PanelModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  send(content: unknown): void;
  on(name: string, callback: (...args: never[]) => void): void;
  off(name?: string | null, callback?: ((...args: never[]) => void) | null): void;
  /** The front end's own; what it knows of the kernel differs. */
  readonly widget_manager?: unknown;
}

/** The synced trait: a snapshot without jobs, and what belongs to the moment of sending. */
export type Facts = Omit<SessionSnapshot, "jobs"> & {
  counts: Record<JobStatus, number>;
  /** Service clock when these facts were put together. */
  sent_at_service: number;
  /** What the times in job rows count from (service clock). */
  epoch: number;
};

/** `[id, program, status, created, pubs, started, finished, flags, qpu, error, code]`, trailing blanks left off. */
export type FullRow = [string, ...(string | number | null)[]];
/** `[position, column, value, column, value, …]`: what changed of a row sent before. */
export type PatchRow = [number, ...(string | number | null)[]];
export type Row = FullRow | PatchRow;

type ListFact = "others" | "active_periods";

export interface FactsPart {
  facts?: Partial<Facts>;
  /** Lists that grow: from which index on they are replaced, and by what. */
  lists?: Partial<Record<ListFact, [from: number, tail: unknown[]]>>;
  /** Service clock at sending; not in every message. */
  at?: number;
}

export type FromKernel =
  | ({
      type: "jobs";
      revision: number;
      reset?: boolean;
      /** The rows are all changes since this revision; without it, since the one before. */
      since?: number;
      jobs: Row[];
    } & FactsPart)
  | ({ type: "facts" } & FactsPart)
  | { type: "ack"; id: string; stage: "acknowledged" | "done" | "failed"; message?: string }
  | { type: "asset"; name: string; encoding?: "gzip" };

export type Action = "close" | "cancel" | "cancel_job";

export type ToKernel =
  | { type: "sync"; revision: number }
  | { type: "command"; id: string; action: Action; job?: string }
  | { type: "asset"; name: string };

const STATUSES: Record<string, JobStatus> = {
  q: "queued",
  r: "running",
  d: "done",
  c: "cancelled",
  f: "failed",
};
const COLUMNS = 11;

export function isPatch(row: Row): row is PatchRow {
  return typeof row[0] === "number";
}

export function fillRow(row: FullRow): FullRow {
  const filled = [...row] as FullRow;
  while (filled.length < COLUMNS) filled.push(null);
  return filled;
}

export function patchRow(row: FullRow, patch: PatchRow): FullRow {
  const patched = [...row] as FullRow;
  for (let i = 1; i + 1 < patch.length; i += 2) patched[patch[i] as number] = patch[i + 1]!;
  return patched;
}

/** A job from its full row; times are milliseconds since `epoch`. */
export function readRow(row: FullRow, epoch: number): JobRecord {
  const time = (column: number) => {
    const value = row[column] as number | null;
    return value === null ? null : epoch + value / 1000;
  };
  const flags = (row[7] as number | null) ?? 0;
  return {
    id: row[0],
    program: row[1] as string,
    status: STATUSES[row[2] as string] ?? "queued",
    created: time(3) ?? epoch,
    started: time(5),
    finished: time(6),
    exact: (flags & 1) !== 0,
    stray: (flags & 2) !== 0,
    qpu_seconds: row[8] as number | null,
    pubs: row[4] as number | null,
    error: row[9] as string | null,
    error_code: row[10] as number | null,
  };
}

export function applyLists(facts: Facts, lists: FactsPart["lists"]): Partial<Facts> {
  const changed: Record<string, unknown> = {};
  for (const [name, [from, tail]] of Object.entries(lists ?? {})) {
    changed[name] = [...(facts[name as ListFact] as unknown[]).slice(0, from), ...tail];
  }
  return changed as Partial<Facts>;
}
