// One job in the list: what it is, how it went, and a button that cancels it.
import { useState } from "preact/hooks";
import { isFinal } from "#shared/countdowns";
import { formatClock, formatSeconds, shortId } from "#shared/format";
import type { JobRecord } from "#shared/snapshot.gen";
import { queuedSeconds, ranSeconds, STATUS_WORDS, what } from "./jobtimes";
import { WAITS_FOR_CELL } from "./Notices";
import type { SessionStore } from "./store";

interface JobRowProps {
  job: JobRecord;
  index: number;
  now: number;
  store: SessionStore;
  selected: boolean;
  /** Whether there is room for why it failed below it; a long list has rows of one height. */
  whole: boolean;
  onSelect: (id: string | null) => void;
}

export function JobRow({ job, index, now, store, selected, whole, onSelect }: JobRowProps) {
  const command = store.commands.jobs.get(job.id);
  const error = job.error ?? (command?.stage === "failed" ? command.message : null);
  const why = error && job.error_code !== null ? `${error} (${job.error_code})` : error;
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
        {job.stray && (
          <span class="qs-stray" title="It was sent to the backend outside the session.">
            {" "}
            · outside
          </span>
        )}
        {why && !whole && (
          <span class="qs-error" title={why}>
            {why}
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
  if (!why || !whole) return row;
  return (
    <>
      {row}
      <tr role="row" class={`qs-why${selected ? " qs-selected" : ""}`} onClick={onClick}>
        <td role="cell" colSpan={7} aria-colspan={7}>
          <div class="qs-error" title={why}>
            {why}
          </div>
        </td>
      </tr>
    </>
  );
}

/** Asks once, in place: a job is not lost to one slip of the hand. */
function CancelJob({ store, job }: { store: SessionStore; job: JobRecord }) {
  const [asking, setAsking] = useState(false);
  const command = store.commands.jobs.get(job.id);
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
  const id = shortId(job.id, 3, 3);
  const onClick = (event: MouseEvent) => {
    event.stopPropagation();
    if (!asking) {
      setAsking(true);
      return;
    }
    // words take the button's place: the focus stays in the row
    const row = (event.currentTarget as HTMLElement).closest("tr");
    row?.querySelector<HTMLElement>(".qs-pick")?.focus();
    store.commands.request("cancel_job", job.id);
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

/** Everything known of the job that was picked. */
export function Detail({ job, now }: { job: JobRecord; now: number }) {
  const ran = ranSeconds(job, now);
  const facts = [
    what(job),
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
