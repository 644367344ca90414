// Cancelling jobs: a button in each row, boxes to choose several with, and one question for all of them.
import { t } from "#shared/translation";
import { isFinal } from "#shared/metrics";
import { plural, shortId } from "#shared/formatting";
import { waitsForCell } from "#shared/messages/commands";
import { Question, useSteady } from "#shared/question";
import type { JobRecord } from "#shared/snapshot.gen";
import { STATUS_WORDS } from "../state/jobTimes";
import type { SessionStore } from "../state/store";
import { ActionButton } from "./ActionButton";
import { QUESTION } from "./Header";

/** Whether a job waits, and nobody has asked to cancel it. */
export function canChoose(store: SessionStore, job: JobRecord): boolean {
  const command = store.commands.jobs.get(job.id);
  return job.status === "queued" && (!command || command.stage === "failed");
}

interface CancelProps {
  store: SessionStore;
  job: JobRecord;
  /** Whether it is among those to be cancelled together; null where there are not several. */
  chosen: boolean | null;
  onChoose: (id: string) => void;
  onCancel: (id: string) => void;
}

/** Opens the question only: a slip of the pointer, or a row that moves, must not cancel a job. */
export function CancelJob({ store, job, chosen, onChoose, onCancel }: CancelProps) {
  const command = store.commands.jobs.get(job.id);
  const possible = store.link !== "lost" && (!command || command.stage === "failed");
  const { ref, settling, takes } = useSteady(possible ? "" : "refused");
  if (command && command.stage !== "failed") {
    const words = {
      requested: t`requested`,
      waiting: t`waiting`,
      acknowledged: t`asking`,
      done: t`cancelled`,
    };
    return (
      <span
        role="status"
        class="qs-doing"
        title={command.stage === "waiting" ? waitsForCell() : ""}
      >
        {words[command.stage]}
      </span>
    );
  }
  const short = shortId(job.id, 3, 3);
  return (
    <>
      {chosen !== null && canChoose(store, job) && (
        <input
          type="checkbox"
          class="qs-choose"
          aria-label={t`Choose job ${short}`}
          title={t`Choose it, to cancel several together`}
          checked={chosen}
          onClick={(event) => event.stopPropagation()}
          // the notebook's own keys must not see what is typed here
          onKeyDown={(event) => event.stopPropagation()}
          onChange={() => onChoose(job.id)}
        />
      )}
      <button
        ref={ref}
        type="button"
        class="qs-link qs-cancel"
        aria-label={t`Cancel job ${short}`}
        aria-disabled={settling}
        disabled={store.link === "lost"}
        onClick={(event) => {
          event.stopPropagation();
          if (takes(event)) onCancel(job.id);
        }}
      >{t`Cancel`}</button>
    </>
  );
}

interface ChosenProps {
  store: SessionStore;
  id: string;
  chosen: string[];
  /** Every job that could be chosen. */
  all: string[];
  buttonRef: { current: HTMLButtonElement | null };
  onChoose: (ids: string[]) => void;
  onCancel: () => void;
}

/** What can be done with the jobs that were chosen. */
export function Chosen({ store, id, chosen, all, buttonRef, onChoose, onCancel }: ChosenProps) {
  const jobs = plural(chosen.length, "job");
  return (
    <div class="qs-chosen" role="group" aria-label={t`Chosen jobs`}>
      <span>
        {jobs} {t`chosen`}
      </span>
      {chosen.length < all.length && (
        <button type="button" class="qs-link" onClick={() => onChoose(all)}>
          {t`All ${all.length} queued`}
        </button>
      )}
      <button type="button" class="qs-link" onClick={() => onChoose([])}>{t`None`}</button>
      <ActionButton
        name={t`Cancel ${jobs}`}
        id={id}
        consequence={t`${chosen.length === 1 ? t`it` : t`they`} will not run; the session stays open`}
        refused={store.link === "lost" ? t`the kernel that shows this panel is gone` : null}
        danger
        buttonRef={buttonRef}
        onClick={onCancel}
      />
    </div>
  );
}

interface QuestionProps {
  store: SessionStore;
  ids: string[];
  focus: { current: HTMLDivElement | null };
  onDone: () => void;
}

/** Whether to cancel jobs: below the table, whose rows move with every new job. */
export function CancelQuestion(props: QuestionProps) {
  const { store, ids, focus, onDone } = props;
  const asking = ids.length === 1 ? one(store, ids[0]!) : several(store, ids);
  return (
    <Question
      styles={QUESTION}
      focus={focus}
      {...asking}
      onConfirm={() => {
        for (const id of asking.goes) store.commands.request("cancel_job", id);
        onDone();
      }}
      onDismiss={onDone}
    />
  );
}

interface Asking {
  title: string;
  says: string;
  meaning: string;
  refused: string | null;
  confirm: string;
  keep: string;
  /** The jobs that are cancelled when it is confirmed. */
  goes: string[];
}

function one(store: SessionStore, id: string): Asking {
  const job = store.snapshot.jobs.find((each) => each.id === id);
  const command = store.commands.jobs.get(id);
  const short = shortId(id, 3, 3);
  let refused: string | null = null;
  if (!store.jobsKnown || !job) refused = t`it is not known how it is`;
  else if (isFinal(job)) refused = t`it is ${STATUS_WORDS[job.status].toLowerCase()} meanwhile`;
  else if (command && command.stage !== "failed") refused = t`already asked to cancel it`;
  else if (store.link === "lost") refused = t`the kernel that shows this panel is gone`;
  const says =
    refused !== null
      ? t`Job ${short} cannot be cancelled: ${refused}.`
      : job!.status === "running"
        ? t`Cancel job ${short}? It is running, and its result is lost.`
        : t`Cancel job ${short}? It is queued, and will not run.`;
  const title = t`Cancel job ${short}?`;
  // of a job that has begun to run a result is lost, which may be paid for
  const meaning = `${id} ${job?.status}`;
  return { title, says, meaning, refused, confirm: t`Cancel job`, keep: t`Keep job`, goes: [id] };
}

function several(store: SessionStore, ids: string[]): Asking {
  const wanted = new Set(ids);
  const goes = store.snapshot.jobs
    .filter((job) => wanted.has(job.id) && canChoose(store, job))
    .map(({ id }) => id);
  const gone = ids.length - goes.length;
  let refused: string | null = null;
  if (!store.jobsKnown) refused = t`it is not known how they are`;
  else if (goes.length === 0) refused = t`none of them is queued any more`;
  else if (store.link === "lost") refused = t`the kernel that shows this panel is gone`;
  const left =
    gone === 0 ? "" : t` ${plural(gone, "other")} ${gone === 1 ? t`has` : t`have`} left the queue.`;
  const what = goes.length === 1 ? t`It is queued, and` : t`They are queued, and`;
  const says =
    refused !== null
      ? t`Nothing to cancel: ${refused}.`
      : t`Cancel ${plural(goes.length, "job")}? ${what} will not run.${left}`;
  const title = t`Cancel ${plural(ids.length, "job")}?`;
  // those that begin to run are left out: it only becomes less
  const meaning = ids.join(" ");
  return { title, says, meaning, refused, confirm: t`Cancel jobs`, keep: t`Keep jobs`, goes };
}
