// One job in the list: program, status, times, and a button that cancels it.
import { t } from "#shared/translation";
import { isFinal, jobDollars } from "#shared/metrics";
import { formatClock, formatDuration, formatMoney, formatValue, shortId } from "#shared/formatting";
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";
import { programWord } from "#shared/messages/labels";
import { CancelJob } from "./CancelJobs";
import { CellLink, cellWords } from "./CellLink";
import { CopyId } from "./CopyId";
import {
  asked,
  cellPlace,
  methodWords,
  outcomesOf,
  queuedSeconds,
  ranSeconds,
  ranWords,
  STATUS_WORDS,
  what,
} from "../state/jobTimes";
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
  /** Whether it is among those to be cancelled together; null where there are not several. */
  chosen: boolean | null;
  onSelect: (id: string | null) => void;
  onChoose: (id: string) => void;
  onCancel: (id: string) => void;
}

export function JobRow({
  job,
  index,
  now,
  store,
  selected,
  whole,
  chosen,
  onSelect,
  onChoose,
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
          aria-label={t`Details of job ${shortId(job.id, 3, 3)}`}
        >
          {shortId(job.id, 3, 3)}
        </button>
      </td>
      <td role="cell" class="qs-what" title={what(job)}>
        {job.label && (
          <span class="qs-label-of" dir="auto" title={job.label}>
            {job.label}
          </span>
        )}
        <span class="qs-program">{programWord(job)}</span>
        {asked(job) && <span class="qs-asked"> {asked(job)}</span>}
      </td>
      <td role="cell" class="qs-status">
        <span class={`qs-square qs-square-${job.status}`} aria-hidden="true" />
        {STATUS_WORDS[job.status]}
        {job.reused && <span class="qs-reused"> {t`· reused`}</span>}
        {job.stray && !job.reused && (
          <span class="qs-stray" title={t`It was sent to the backend outside the session.`}>
            {" "}
            {t`· outside`}
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
            {value === best && <b> {t`best`}</b>}
          </span>
        ) : job.top_counts.length > 0 ? (
          <span class="qs-value" title={t`most frequent outcomes: ${outcomesOf(job)}`}>
            {outcomesOf(job)}
          </span>
        ) : (
          "–"
        )}
      </td>
      <td role="cell" class="qs-num qs-queued" title={job.exact ? "" : t`as seen by polling`}>
        {formatDuration(queuedSeconds(job, now))}
      </td>
      <td role="cell" class="qs-num qs-ran" title={job.exact ? "" : t`as seen by polling`}>
        {formatDuration(ranSeconds(job, now))}
      </td>
      <td role="cell" class="qs-num qs-qpu">
        {formatDuration(job.qpu_seconds)}
      </td>
      <td role="cell" class="qs-num qs-price-of">
        {jobCost(job, store.snapshot)}
      </td>
      <td role="cell" class="qs-num qs-from">
        <CellLink job={job} words={cellWords(job)} />
      </td>
      <td role="cell" class="qs-do">
        {!isFinal(job) && (
          <CancelJob
            store={store}
            job={job}
            chosen={chosen}
            onChoose={onChoose}
            onCancel={onCancel}
          />
        )}
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

/** The price of a job's QPU time, nothing for a reused one; what it would be where nothing is charged. */
function jobCost(job: JobRecord, snapshot: SessionSnapshot): string {
  // whoever has paid for it was the run before
  if (job.reused) return formatMoney(0);
  const dollars = jobDollars(job, snapshot);
  if (dollars === null) return "–";
  return `${snapshot.service.charged ? "" : "≈\u00a0"}${formatMoney(dollars)}`;
}

/** Everything known of the job that was picked. */
export function Detail({ store, job, now }: { store: SessionStore; job: JobRecord; now: number }) {
  const ran = ranSeconds(job, now);
  const value = store.resultOf(job);
  const facts = [
    job.label && t`label ${job.label}`,
    what(job),
    t`submitted ${formatClock(job.created, now)}`,
    t`queued ${formatDuration(queuedSeconds(job, now))}`,
    ran === null ? "" : `${ranWords(job, ran)}${job.exact ? "" : t` as seen by polling`}`,
    job.qpu_seconds === null ? "" : t`QPU ${formatDuration(job.qpu_seconds)}`,
    value ? `${value.series} ${formatValue(value.value, value.error)}` : "",
    job.top_counts.length > 0 ? outcomesOf(job) : "",
    job.reused ? t`not paid again` : job.stray ? t`sent outside the session` : "",
    job.method === "exact" ? t`simulated exactly` : (job.approximation ?? "").replace(/\.$/, ""),
    job.no_effect.length > 0 ? t`without effect: ${job.no_effect.join(", ")}` : "",
  ];
  return (
    <div class="qs-detail">
      <b>{job.id}</b> <CopyId id={job.id} /> · {facts.filter(Boolean).join(" · ")}
      {job.cell !== null && (
        <>
          {t` · sent by `}
          <CellLink job={job} words={cellPlace(job)} />
        </>
      )}
      {job.error && (
        <span class="qs-error">
          {job.error}
          {job.error_code !== null && t` (code ${job.error_code})`}
        </span>
      )}
    </div>
  );
}
