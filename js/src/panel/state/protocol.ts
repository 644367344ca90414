// The messages between the panel and its kernel half (qsession_widgets/views/panel.py), and how a job's row is unpacked.
import type { Forecast } from "#shared/messages/forecast";
import type { EndResult } from "#shared/serverTypes";
import type { JobRecord, JobStatus, SessionSnapshot } from "#shared/snapshot.gen";
import type { PointsPart } from "./series";

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
  /**
   * Of `--expect`: seconds still to come, at least and at most; seconds of usage; and about how many jobs the maximum
   * time, the budget and the instance's quota leave no room for.
   */
  to_come:
    | [
        number,
        number,
        used: number,
        usedAtMost: number,
        late: number,
        pastBudget: number,
        pastQuota: number,
      ]
    | null;
  forecast: Forecast | null;
  /** What the times in job rows count from (service clock). */
  epoch: number;
};

/**
 * `[id, program, status, created, pubs, asked, cell, line, started, finished, flags, qpu, outcomes, label, error, code, method,
 * approximation, options]`, trailing blanks left off; `asked` are shots or, as a negative number, a precision; the
 * options are those without effect.
 */
export type FullRow = [string, ...(string | number | null)[]];
/** `[position, column, value, column, value, …]`: what changed of a row sent before. */
export type PatchRow = [number, ...(string | number | null)[]];
export type Row = FullRow | PatchRow;

type ListFact = "others" | "active_periods";

export interface FactsPart {
  facts?: Partial<Facts>;
  /** Lists that grow: from which index on they are replaced, and by what. */
  lists?: Partial<Record<ListFact, [from: number, tail: unknown[]]>>;
  points?: PointsPart;
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
  | ({
      type: "ack";
      id: string;
      stage: "acknowledged" | "done" | "failed";
      message?: string;
    } & Partial<Pick<EndResult, "code" | "cancelled" | "finishing">>)
  | { type: "asset"; name: string; encoding?: "gzip" }
  /** One buffer for each file. */
  | { type: "files"; id: string; names: string[] };

export type Ending = "html" | "csv" | "json";

export type Action = "close" | "cancel" | "cancel_job";

export type ToKernel =
  /** With the page's time zone, in which receipts are written. */
  | { type: "sync"; revision: number; points: number; zone: string }
  | { type: "command"; id: string; action: Action; job?: string }
  | { type: "asset"; name: string }
  | { type: "export"; id: string; ending: Ending };

const STATUSES: Record<string, JobStatus> = {
  q: "queued",
  r: "running",
  d: "done",
  c: "cancelled",
  f: "failed",
};
const COLUMNS = 19;

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
  const number = (column: number) => row[column] as number | null;
  const text = (column: number) => row[column] as string | null;
  const flags = number(10) ?? 0;
  const asked = number(5);
  return {
    id: row[0],
    program: row[1] as string,
    status: STATUSES[row[2] as string] ?? "queued",
    created: time(3) ?? epoch,
    started: time(8),
    finished: time(9),
    exact: (flags & 1) !== 0,
    stray: (flags & 2) !== 0,
    reused: (flags & 8) !== 0,
    qpu_seconds: number(11),
    pubs: number(4),
    shots: asked !== null && asked > 0 ? asked : null,
    precision: asked !== null && asked < 0 ? -asked : null,
    error: text(14),
    error_code: number(15),
    cell: number(6),
    line: number(7),
    label: text(13) ?? "",
    top_counts: (text(12)?.split(",") ?? []).map((each) => {
      const at = each.lastIndexOf(" ");
      return [each.slice(0, at), Number(each.slice(at + 1))];
    }),
    method: (flags & 4) !== 0 ? "exact" : text(16),
    approximation: text(17),
    no_effect: text(18)?.split(", ") ?? [],
  };
}

export function applyLists(facts: Facts, lists: FactsPart["lists"]): Partial<Facts> {
  const changed: Record<string, unknown> = {};
  for (const [name, [from, tail]] of Object.entries(lists ?? {})) {
    changed[name] = [...(facts[name as ListFact] as unknown[]).slice(0, from), ...tail];
  }
  return changed as Partial<Facts>;
}
