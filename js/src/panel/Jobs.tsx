import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { isFinal } from "#shared/countdowns";
import {
  formatClock,
  formatCount,
  formatDuration,
  formatSeconds,
  plural,
  shortId,
} from "#shared/format";
import type { JobRecord, JobStatus, SessionSnapshot } from "#shared/snapshot.gen";
import type { SessionStore } from "./store";

const LATEST = 4;
const OVERSCAN = 6;

export const STATUS_WORDS: Record<JobStatus, string> = {
  queued: "Queued",
  running: "Running",
  done: "Done",
  cancelled: "Cancelled",
  failed: "Failed",
};

const NONE: JobRecord[] = [];

type SortKey = "created" | "status" | "queued" | "ran" | "qpu";
type Filter = "all" | "pending" | "done" | "failed";

export function queuedSeconds(job: JobRecord, now: number): number {
  return (job.started ?? job.finished ?? now) - job.created;
}

export function ranSeconds(job: JobRecord, now: number): number | null {
  if (job.started === null) return null;
  if (job.finished !== null) return job.finished - job.started;
  return isFinal(job) ? null : now - job.started;
}

const SORTS: Record<SortKey, (job: JobRecord, now: number) => number> = {
  created: (job) => job.created,
  status: (job) => Object.keys(STATUS_WORDS).indexOf(job.status),
  queued: queuedSeconds,
  ran: (job, now) => ranSeconds(job, now) ?? -1,
  qpu: (job) => job.qpu_seconds ?? -1,
};

const FILTERS: Record<Filter, (job: JobRecord) => boolean> = {
  all: () => true,
  pending: (job) => !isFinal(job),
  done: (job) => job.status === "done",
  failed: (job) => job.status === "failed" || job.status === "cancelled",
};

interface Props {
  store: SessionStore;
  now: number;
  selected: string | null;
  onSelect: (id: string | null) => void;
}

/** The latest jobs; all of them, filtered and sorted, when asked. Only the rows in sight are in the page. */
export function Jobs({ store, now, selected, onSelect }: Props) {
  const [expanded, setExpanded] = useState(false);
  const [filter, setFilter] = useState<Filter>("all");
  const [sort, setSort] = useState<{ key: SortKey; up: boolean }>({ key: "created", up: false });
  const { snapshot } = store;
  const jobs = store.jobsKnown ? snapshot.jobs : NONE;
  const earlier = Math.max(0, jobs.length - LATEST);

  useEffect(() => {
    if (selected !== null) setExpanded(jobs.length > LATEST);
  }, [selected]);

  const listed = useMemo(() => {
    if (!expanded) return jobs.slice(-LATEST).reverse();
    const key = SORTS[sort.key];
    const sorted = jobs.filter(FILTERS[filter]).sort((a, b) => key(a, now) - key(b, now));
    return sort.up ? sorted : sorted.reverse();
    // the order of running jobs by time may lag until the next fact: rows must not dance every second
  }, [jobs, expanded, filter, sort]);

  if (jobs.length === 0) {
    return (
      <div class="qs-jobs">
        <p class="qs-empty">{store.jobsKnown ? emptyWords(snapshot) : unknownWords(store)}</p>
        <Progress store={store} />
      </div>
    );
  }
  const picked = selected === null ? undefined : jobs.find((job) => job.id === selected);
  const header = (key: SortKey, words: string, numeric: boolean) => (
    <th
      role="columnheader"
      scope="col"
      class={numeric ? "qs-num" : ""}
      aria-sort={expanded && sort.key === key ? (sort.up ? "ascending" : "descending") : undefined}
    >
      {expanded ? (
        <button
          type="button"
          class="qs-sort"
          onClick={() => setSort({ key, up: sort.key === key ? !sort.up : false })}
        >
          {words}
          <span aria-hidden="true">{sort.key === key ? (sort.up ? " ↑" : " ↓") : ""}</span>
        </button>
      ) : (
        words
      )}
    </th>
  );
  return (
    <div class="qs-jobs">
      {expanded && (
        <div class="qs-filter" role="group" aria-label="Show jobs">
          {(Object.keys(FILTERS) as Filter[]).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={filter === name}
              onClick={() => setFilter(name)}
            >
              {name === "failed" ? "failed or cancelled" : name}{" "}
              <span class="qs-count">{formatCount(jobs.filter(FILTERS[name]).length)}</span>
            </button>
          ))}
        </div>
      )}
      <Rows jobs={listed} total={listed.length} windowed={expanded} selected={selected}>
        {(visible, before, after) => (
          <table role="table" class="qs-table" aria-label="Jobs" aria-rowcount={listed.length + 1}>
            <thead role="rowgroup">
              <tr role="row">
                {header("created", "Job", false)}
                <th role="columnheader" scope="col">
                  Primitive
                </th>
                {header("status", "Status", false)}
                {header("queued", "Queued", true)}
                {header("ran", "Ran", true)}
                {header("qpu", "QPU", true)}
                <th role="columnheader" scope="col" class="qs-do">
                  <span class="qs-sr">Action</span>
                </th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              <Spacer height={before} />
              {visible.map(({ job, index }) => (
                <JobRow
                  key={job.id}
                  job={job}
                  index={index}
                  now={now}
                  store={store}
                  selected={job.id === selected}
                  onSelect={onSelect}
                />
              ))}
              <Spacer height={after} />
            </tbody>
          </table>
        )}
      </Rows>
      {picked && <Detail job={picked} now={now} />}
      <div class="qs-more">
        {earlier > 0 ? (
          <button
            type="button"
            class="qs-link"
            aria-expanded={expanded}
            onClick={() => setExpanded(!expanded)}
          >
            {expanded
              ? "latest jobs only "
              : `${formatCount(earlier)} earlier ${earlier === 1 ? "job" : "jobs"} `}
            <span aria-hidden="true">{expanded ? "▴" : "▸"}</span>
          </button>
        ) : (
          <span />
        )}
        <Progress store={store} />
      </div>
    </div>
  );
}

function Detail({ job, now }: { job: JobRecord; now: number }) {
  const ran = ranSeconds(job, now);
  const facts = [
    `submitted ${formatClock(job.created, now)}`,
    `queued ${formatSeconds(queuedSeconds(job, now))}`,
    ran === null ? "" : `ran ${formatSeconds(ran)}${job.exact ? "" : " as seen by polling"}`,
    job.qpu_seconds === null ? "" : `QPU ${formatSeconds(job.qpu_seconds)}`,
    job.stray ? "sent outside the session" : "",
  ];
  return (
    <div class="qs-detail">
      <b>{job.id}</b> · {facts.filter(Boolean).join(" · ")}
      {job.error && (
        <span class="qs-error">
          {job.error}
          {job.error_code !== null && ` (code ${job.error_code})`}
        </span>
      )}
    </div>
  );
}

function emptyWords(snapshot: SessionSnapshot): string {
  if (snapshot.state === "closed") return "It ran no job.";
  const queue = snapshot.queue_length;
  const waiting =
    queue === null ? "" : ` ${plural(queue, "job")} of everybody wait on ${snapshot.backend} now.`;
  return `No job yet: the first one enters the normal queue and starts the clocks.${waiting}`;
}

function unknownWords(store: SessionStore): string {
  const count = store.total;
  if (count === 0) return "No job is known.";
  return `${plural(count, "job")}; the kernel has the list and has not sent it yet.`;
}

interface Listed {
  job: JobRecord;
  index: number;
}

interface RowsProps {
  jobs: JobRecord[];
  total: number;
  windowed: boolean;
  selected: string | null;
  children: (visible: Listed[], before: number, after: number) => preact.JSX.Element;
}

function Rows({ jobs, total, windowed, selected, children }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, rows: 12, height: 33 });

  const measure = () => {
    const el = box.current;
    if (!el) return;
    const row = el.querySelector<HTMLElement>("tr.qs-row");
    const height = row?.offsetHeight || view.height;
    const rows = Math.ceil((el.clientHeight || 320) / height);
    const top = Math.floor(el.scrollTop / height);
    if (top !== view.top || rows !== view.rows || height !== view.height)
      setView({ top, rows, height });
  };
  useEffect(measure, [windowed, total]);
  useEffect(() => {
    const index = selected === null ? -1 : jobs.findIndex((job) => job.id === selected);
    const el = box.current;
    if (!windowed || index < 0 || !el) return;
    const at = index * view.height;
    if (at < el.scrollTop || at > el.scrollTop + el.clientHeight - 2 * view.height) {
      el.scrollTop = Math.max(0, at - el.clientHeight / 2);
    }
  }, [selected, windowed]);

  if (!windowed)
    return (
      <div class="qs-rows">
        {children(
          jobs.map((job, index) => ({ job, index })),
          0,
          0,
        )}
      </div>
    );
  const first = Math.max(0, Math.min(view.top - OVERSCAN, total - view.rows));
  const last = Math.min(total, view.top + view.rows + OVERSCAN);
  const visible = jobs.slice(first, last).map((job, i) => ({ job, index: first + i }));
  return (
    <div
      ref={box}
      class="qs-rows qs-window"
      tabIndex={0}
      role="region"
      aria-label="All jobs"
      onScroll={measure}
    >
      {children(visible, first * view.height, (total - last) * view.height)}
    </div>
  );
}

/** Stands for the rows out of sight. */
function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr class="qs-spacer" aria-hidden="true">
      <td colSpan={7} style={{ height: `${height}px`, padding: "0", border: "0" }} />
    </tr>
  );
}

interface JobRowProps {
  job: JobRecord;
  index: number;
  now: number;
  store: SessionStore;
  selected: boolean;
  onSelect: (id: string | null) => void;
}

function JobRow({ job, index, now, store, selected, onSelect }: JobRowProps) {
  const command = store.jobCommands.get(job.id);
  const what = job.pubs === null ? job.program : `${job.program} · ${plural(job.pubs, "pub")}`;
  const error = job.error ?? (command?.stage === "failed" ? command.message : null);
  return (
    <tr
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      class={`qs-row${selected ? " qs-selected" : ""}`}
      onClick={() => onSelect(selected ? null : job.id)}
    >
      <td role="cell" class="qs-job">
        <button
          type="button"
          class="qs-pick"
          title={job.id}
          aria-pressed={selected}
          aria-label={`Details of job ${shortId(job.id, 3, 3)}`}
        >
          {shortId(job.id, 3, 3)}
        </button>
      </td>
      <td role="cell" class="qs-what">
        {what}
        {job.stray && (
          <span class="qs-stray" title="It was sent to the backend outside the session.">
            {" "}
            · outside
          </span>
        )}
      </td>
      <td role="cell" class="qs-status">
        <span class={`qs-square qs-square-${job.status}`} aria-hidden="true" />
        {STATUS_WORDS[job.status]}
        {error && (
          <span class="qs-error" title={error}>
            {job.error_code === null ? error : `${error} (${job.error_code})`}
          </span>
        )}
      </td>
      <td role="cell" class="qs-num qs-queued" title={job.exact ? "" : "as seen by polling"}>
        {formatSeconds(queuedSeconds(job, now))}
      </td>
      <td role="cell" class="qs-num qs-ran" title={job.exact ? "" : "as seen by polling"}>
        {formatSeconds(ranSeconds(job, now))}
      </td>
      <td role="cell" class="qs-num qs-qpu">
        {formatSeconds(job.qpu_seconds)}
      </td>
      <td role="cell" class="qs-do">
        {!isFinal(job) && <CancelJob store={store} job={job} />}
      </td>
    </tr>
  );
}

/** Asks once, in place: a job is not lost to one slip of the hand. */
function CancelJob({ store, job }: { store: SessionStore; job: JobRecord }) {
  const [asking, setAsking] = useState(false);
  const command = store.jobCommands.get(job.id);
  if (command && command.stage !== "failed") {
    const words = {
      requested: "requested",
      waiting: "waits for the cell",
      acknowledged: "asking",
      done: "cancelled",
    };
    return (
      <span role="status" class="qs-doing">
        {words[command.stage]}
      </span>
    );
  }
  const id = shortId(job.id, 3, 3);
  const onClick = (event: Event) => {
    event.stopPropagation();
    if (!asking) setAsking(true);
    else store.request("cancel_job", job.id);
  };
  return (
    <button
      type="button"
      class={`qs-link${asking ? " qs-sure" : ""}`}
      aria-label={asking ? `Really cancel job ${id}` : `Cancel job ${id}`}
      disabled={store.link === "lost"}
      onClick={onClick}
      onBlur={() => setAsking(false)}
      onKeyDown={(event) => event.key === "Escape" && setAsking(false)}
    >
      {asking ? "Sure?" : "Cancel"}
    </button>
  );
}

/** How far the session is when the user said how many jobs there will be. */
function Progress({ store }: { store: SessionStore }) {
  const { snapshot } = store;
  const expected = snapshot.expected_jobs;
  if (expected === null || expected <= 0) return null;
  const { done } = store;
  const first = snapshot.jobs.find((job) => job.started !== null)?.started ?? null;
  const last = snapshot.last_job_completed;
  const open =
    snapshot.state !== "closed" && done >= 3 && done < expected && first !== null && last !== null;
  const left = open ? ((last - first) / done) * (expected - done) : null;
  return (
    <span class="qs-progress">
      <span
        class="qs-progress-bar"
        role="progressbar"
        aria-label="Jobs done"
        aria-valuemin={0}
        aria-valuemax={expected}
        aria-valuenow={Math.min(done, expected)}
      >
        <span style={{ width: `${Math.min(100, (100 * done) / expected)}%` }} />
      </span>
      {formatCount(done)} of {formatCount(expected)} jobs
      {left !== null && ` · about ${formatDuration(left)} left`}
    </span>
  );
}
