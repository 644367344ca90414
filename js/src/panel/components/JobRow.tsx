// One job in the list: program, status, times, and a button that cancels it.
import { Question, useSteady } from "#shared/question";
import { isFinal } from "#shared/metrics";
import { formatClock, formatDuration, formatMoney, formatValue, shortId } from "#shared/formatting";
import type { JobRecord, ServiceInfo } from "#shared/snapshot.gen";
import { QUESTION } from "./Header";
import { methodWords, queuedSeconds, ranSeconds, STATUS_WORDS, what } from "../state/jobTimes";
import { WAITS_FOR_CELL } from "#shared/messages/commands";
import type { SessionStore } from "../state/store";

/** Columns of the table. */
export const COLUMNS = 10;

interface JobRowProps {
  job: JobRecord;
  index: number;
  now: number;
  store: SessionStore;
  selected: boolean;
  /** Whether there is room for why it failed below it; a long list has rows of one height. */
  whole: boolean;
  onSelect: (id: string | null) => void;
  onCancel: (id: string) => void;
}

export function JobRow({
  job,
  index,
  now,
  store,
  selected,
  whole,
  onSelect,
  onCancel,
}: JobRowProps) {
  const command = store.commands.jobs.get(job.id);
  const error = job.error ?? (command?.stage === "failed" ? command.message : null);
  const why = error && job.error_code !== null ? `${error} (${job.error_code})` : error;
  const value = store.resultOf(job);
  const best = store.shownSeries?.best(store.objective.goal);
  const onClick = () => onSelect(selected ? null : job.id);
  const row = (
    <tr
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      class={`qs-row${selected ? " qs-selected" : ""}${job.started === null ? " qs-unrun" : ""}${why && !whole ? " qs-wrong" : ""}${why && whole ? " qs-told" : ""}`}
      onClick={onClick}
    >
      <td role="cell" class="qs-job">
        <button
          type="button"
          class="qs-pick"
          title={job.id}
          aria-expanded={selected}
          aria-label={`Details of job ${shortId(job.id, 3, 3)}`}
        >
          {shortId(job.id, 3, 3)}
        </button>
      </td>
      <td role="cell" class="qs-what">
        {what(job)}
      </td>
      <td role="cell" class="qs-status">
        <span class={`qs-square qs-square-${job.status}`} aria-hidden="true" />
        {STATUS_WORDS[job.status]}
        {job.reused && <span class="qs-stray"> · reused</span>}
        {job.stray && !job.reused && (
          <span class="qs-stray" title="It was sent to the backend outside the session.">
            {" "}
            · outside
          </span>
        )}
        {job.approximation !== null && (
          <span class="qs-approximated" title={job.approximation}>
            {" "}
            · {methodWords(job)}
          </span>
        )}
        {why && !whole && (
          <span class="qs-error" title={why}>
            {why}
          </span>
        )}
      </td>
      <td role="cell" class="qs-result">
        {value ? (
          <span class="qs-value" title={value.series}>
            {formatValue(value.value, value.error)}
            {value === best && <b> best</b>}
          </span>
        ) : (
          "–"
        )}
      </td>
      <td role="cell" class="qs-num qs-queued" title={job.exact ? "" : "as seen by polling"}>
        {formatDuration(queuedSeconds(job, now))}
      </td>
      <td role="cell" class="qs-num qs-ran" title={job.exact ? "" : "as seen by polling"}>
        {formatDuration(ranSeconds(job, now))}
      </td>
      <td role="cell" class="qs-num qs-qpu">
        {formatDuration(job.qpu_seconds)}
      </td>
      <td role="cell" class="qs-num qs-price-of">
        {jobCost(job, store.snapshot.service)}
      </td>
      <td role="cell" class="qs-num qs-from">
        {job.cell === null ? "–" : `[${job.cell}]`}
      </td>
      <td role="cell" class="qs-do">
        {!isFinal(job) && <CancelJob store={store} job={job} onCancel={onCancel} />}
      </td>
    </tr>
  );
  if (!why || !whole) return row;
  return (
    <>
      {row}
      <tr role="row" class={`qs-why${selected ? " qs-selected" : ""}`} onClick={onClick}>
        <td role="cell" colSpan={COLUMNS} aria-colspan={COLUMNS}>
          <div class="qs-error" title={why}>
            {why}
          </div>
        </td>
      </tr>
    </>
  );
}

interface CancelProps {
  store: SessionStore;
  job: JobRecord;
  onCancel: (id: string) => void;
}

/** Opens the question only: a slip of the pointer, or a row that moves, must not cancel a job. */
function CancelJob({ store, job, onCancel }: CancelProps) {
  const command = store.commands.jobs.get(job.id);
  const possible = store.link !== "lost" && (!command || command.stage === "failed");
  const { ref, settling, takes } = useSteady(possible ? "" : "refused");
  if (command && command.stage !== "failed") {
    const words = {
      requested: "requested",
      waiting: "waiting",
      acknowledged: "asking",
      done: "cancelled",
    };
    return (
      <span
        role="status"
        class="qs-doing"
        title={command.stage === "waiting" ? WAITS_FOR_CELL : ""}
      >
        {words[command.stage]}
      </span>
    );
  }
  return (
    <button
      ref={ref}
      type="button"
      class="qs-link qs-cancel"
      aria-label={`Cancel job ${shortId(job.id, 3, 3)}`}
      aria-disabled={settling}
      disabled={store.link === "lost"}
      onClick={(event) => {
        event.stopPropagation();
        if (takes(event)) onCancel(job.id);
      }}
    >
      Cancel
    </button>
  );
}

interface JobQuestionProps {
  store: SessionStore;
  id: string;
  focus: { current: HTMLDivElement | null };
  onDone: () => void;
}

/** Whether to cancel a job: below the table, whose rows move with every new job. */
export function JobQuestion({ store, id, focus, onDone }: JobQuestionProps) {
  const job = store.snapshot.jobs.find((each) => each.id === id);
  const command = store.commands.jobs.get(id);
  const short = shortId(id, 3, 3);
  let refused: string | null = null;
  if (!store.jobsKnown || !job) refused = "it is not known how it is";
  else if (isFinal(job)) refused = `it is ${STATUS_WORDS[job.status].toLowerCase()} meanwhile`;
  else if (command && command.stage !== "failed") refused = "already asked to cancel it";
  else if (store.link === "lost") refused = "the kernel that shows this panel is gone";
  const says =
    refused !== null
      ? `Job ${short} cannot be cancelled: ${refused}.`
      : job!.status === "running"
        ? `Cancel job ${short}? It is running, and its result is lost.`
        : `Cancel job ${short}? It is queued, and will not run.`;
  return (
    <Question
      styles={QUESTION}
      focus={focus}
      title={`Cancel job ${short}?`}
      says={says}
      refused={refused}
      confirm="Cancel job"
      keep="Keep job"
      onConfirm={() => {
        store.commands.request("cancel_job", id);
        onDone();
      }}
      onDismiss={onDone}
    />
  );
}

/** The price of a job's QPU time; what it would be where nothing is charged. */
function jobCost({ qpu_seconds: qpu }: JobRecord, service: ServiceInfo): string {
  const { price_per_second: price, charged } = service;
  if (qpu === null || price === null) return "–";
  return `${charged ? "" : "≈\u00a0"}${formatMoney(qpu * price)}`;
}

/** Everything known of the job that was picked. */
export function Detail({ store, job, now }: { store: SessionStore; job: JobRecord; now: number }) {
  const ran = ranSeconds(job, now);
  const value = store.resultOf(job);
  const facts = [
    what(job),
    `submitted ${formatClock(job.created, now)}`,
    `queued ${formatDuration(queuedSeconds(job, now))}`,
    ran === null ? "" : `ran ${formatDuration(ran)}${job.exact ? "" : " as seen by polling"}`,
    job.qpu_seconds === null ? "" : `QPU ${formatDuration(job.qpu_seconds)}`,
    value ? `${value.series} ${formatValue(value.value, value.error)}` : "",
    job.cell === null ? "" : `sent by cell [${job.cell}]`,
    job.reused ? "not paid again" : job.stray ? "sent outside the session" : "",
    job.method === "exact" ? "simulated exactly" : (job.approximation ?? "").replace(/\.$/, ""),
    job.no_effect.length > 0 ? `without effect: ${job.no_effect.join(", ")}` : "",
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
