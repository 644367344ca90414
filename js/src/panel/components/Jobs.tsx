// The jobs of a session: a few of them, or all of them, filtered and sorted, when asked.
import { t } from "#shared/translation";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { noun } from "#shared/consequences";
import { formatCount, plural } from "#shared/formatting";
import { deferred, pendingJobs } from "#shared/metrics";
import { useAfterDrawing } from "#shared/question";
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";
import { queueSentence } from "#shared/suggestions";
import { canChoose, CancelQuestion, Chosen } from "./CancelJobs";
import { Detail, JobRow } from "./JobRow";
import {
  countFilters,
  FILTERS,
  hiddenWords,
  inBrief,
  Listing,
  type Filter,
  type Order,
  type SortKey,
} from "../state/jobList";
import { Progress } from "./Progress";
import { Rows, Spacer } from "./VirtualRows";
import type { SessionStore } from "../state/store";

const BRIEF = 4;

const NONE: JobRecord[] = [];

interface Props {
  store: SessionStore;
  now: number;
  selected: string | null;
  onSelect: (id: string | null) => void;
}

/** A few jobs; all of them, filtered and sorted, when asked. Only the rows in sight are in the page. */
export function Jobs({ store, now, selected, onSelect }: Props) {
  const [expanded, setExpanded] = useState(false);
  const [order, setOrder] = useState<Order>({ filter: "all", key: "turn", up: false });
  const [asked, setAsked] = useState<string[] | null>(null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const asker = useRef<HTMLButtonElement>(null);
  const id = useId();
  const question = useRef<HTMLDivElement>(null);
  const root = useRef<HTMLDivElement>(null);
  const afterDrawing = useAfterDrawing();
  const [held, hold] = useState(false);
  const listing = useRef(new Listing());
  const { snapshot } = store;
  const jobs = store.jobsKnown ? snapshot.jobs : NONE;

  // running jobs sorted by time may lag until the next fact: rows must not dance every second
  const fresh = useMemo(
    () => (expanded ? listing.current.list(jobs, order, now) : inBrief(jobs, BRIEF)),
    [jobs, expanded, order],
  );
  const before = useRef(fresh);
  // no row moves away from under the pointer that is about to cancel its job
  const listed = useMemo(() => (held ? inPlace(before.current, jobs) : fresh), [held, fresh, jobs]);
  before.current = listed;
  // a bar of the timeline may stand for any of them
  useEffect(() => {
    if (selected !== null && !listed.some((job) => job.id === selected)) setExpanded(true);
  }, [selected]);
  const counts = useMemo(() => (expanded ? countFilters(jobs) : null), [jobs, expanded]);

  const queued = pendingJobs(snapshot).filter((job) => canChoose(store, job));
  const waiting = store.jobsKnown && queued.length > 1;
  const picks = queued.map(({ id }) => id).filter((id) => chosen.has(id));
  const choose = (id: string) => {
    const next = new Set(picks);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const ask = (ids: string[]) => {
    setAsked(ids);
    afterDrawing(() => question.current?.focus());
  };
  const answered = () => {
    const pick = [...(root.current?.querySelectorAll<HTMLElement>(".qs-pick") ?? [])].find(
      ({ title }) => title === asked?.[0],
    );
    setAsked(null);
    afterDrawing(() => {
      if (asker.current) return asker.current.focus();
      const row = asked?.length === 1 ? pick?.closest("tr") : null;
      const cancel = row?.querySelector<HTMLElement>(".qs-cancel");
      (cancel ?? pick ?? root.current?.querySelector<HTMLElement>(".qs-pick"))?.focus();
    });
  };
  const asks = asked !== null && (
    <CancelQuestion key="asks" store={store} ids={asked} focus={question} onDone={answered} />
  );
  if (jobs.length === 0) {
    return (
      <div ref={root} class="qs-jobs">
        <p class="qs-empty">{store.jobsKnown ? emptyWords(snapshot) : unknownWords(store)}</p>
        {asks}
        <Progress store={store} />
      </div>
    );
  }
  const more = expanded ? "" : hiddenWords(jobs, listed);
  const picked = selected === null ? undefined : jobs.find((job) => job.id === selected);
  const header = (key: SortKey, words: string, numeric: boolean, more = "") => (
    <th
      role="columnheader"
      scope="col"
      class={`${numeric ? "qs-num " : ""}${more}`}
      aria-sort={
        expanded && order.key === key ? (order.up ? "ascending" : "descending") : undefined
      }
    >
      {expanded ? (
        <button
          type="button"
          class="qs-sort"
          onClick={() => setOrder({ ...order, key, up: order.key === key ? !order.up : false })}
        >
          {words}
          <span aria-hidden="true">{order.key === key ? (order.up ? " ↑" : " ↓") : ""}</span>
        </button>
      ) : (
        words
      )}
    </th>
  );
  return (
    <div
      ref={root}
      class="qs-jobs"
      onPointerOver={({ target }) =>
        hold((target as Element).closest(".qs-cancel, .qs-choose") !== null)
      }
      onPointerLeave={() => hold(false)}
    >
      {counts && (
        <div class="qs-filter" role="group" aria-label={t`Show jobs`}>
          {(Object.keys(FILTERS) as Filter[]).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={order.filter === name}
              onClick={() => setOrder({ ...order, filter: name })}
            >
              {name === "failed" ? t`failed or cancelled` : name}{" "}
              <span class="qs-count">{formatCount(counts[name])}</span>
            </button>
          ))}
        </div>
      )}
      <Rows jobs={listed} order={order} windowed={expanded} selected={selected}>
        {(visible, before, after) => (
          <table
            role="table"
            class="qs-table"
            aria-label={t`Jobs`}
            aria-rowcount={listed.length + 1}
          >
            <thead role="rowgroup">
              <tr role="row">
                {header("created", t`Job`, false)}
                <th role="columnheader" scope="col">{t`Primitive`}</th>
                {header("status", t`Status`, false)}
                <th role="columnheader" scope="col" class="qs-result">{t`Result`}</th>
                {header("queued", t`Queued`, true)}
                {header("ran", snapshot.service.kind === "local" ? t`Ran here` : t`Ran`, true)}
                {header("qpu", "QPU", true, "qs-qpu")}
                <th
                  role="columnheader"
                  scope="col"
                  class="qs-num qs-price-of"
                  title={t`of its QPU time; idle and classical time of a session come on top`}
                >{t`Cost`}</th>
                <th role="columnheader" scope="col" class="qs-num qs-from">{t`Cell`}</th>
                <th role="columnheader" scope="col" class="qs-do">
                  <span class="qs-sr">{t`Action`}</span>
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
                  whole={!expanded}
                  chosen={waiting && !job.stray ? chosen.has(job.id) : null}
                  onSelect={onSelect}
                  onChoose={choose}
                  onCancel={(id) => ask([id])}
                />
              ))}
              <Spacer height={after} />
            </tbody>
          </table>
        )}
      </Rows>
      {picks.length > 0 && asked === null && (
        <Chosen
          store={store}
          id={`${id}-cancel`}
          chosen={picks}
          all={queued.map(({ id }) => id)}
          buttonRef={asker}
          onChoose={(ids) => setChosen(new Set(ids))}
          onCancel={() => ask(picks)}
        />
      )}
      {asks}
      {picked && <Detail store={store} job={picked} now={now} />}
      <div class="qs-more">
        {more || expanded ? (
          <button
            type="button"
            class="qs-link"
            aria-expanded={expanded}
            onClick={() => setExpanded(!expanded)}
          >
            {expanded ? t`fewer rows ` : t`and ${more} `}
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

/** The same jobs in the same order, as they are now. */
function inPlace(listed: JobRecord[], jobs: JobRecord[]): JobRecord[] {
  const now = new Map(jobs.map((job) => [job.id, job]));
  return listed.flatMap(({ id }) => now.get(id) ?? []);
}

function emptyWords(snapshot: SessionSnapshot): string {
  if (snapshot.state === "closed") return t`It ran no job.`;
  if (deferred(snapshot)) return t`No job yet: the ${noun(snapshot)} opens with the first new one.`;
  if (snapshot.mode === "job")
    return t`No job yet: each one goes through the normal queue by itself.`;
  const queue = snapshot.queue_length;
  const waiting = queue === null ? "" : ` ${queueSentence(queue, snapshot.backend)}`;
  return t`No job yet: the first one enters the normal queue and starts the clocks.${waiting}`;
}

function unknownWords(store: SessionStore): string {
  const count = store.total;
  if (count === 0) return t`No job is known.`;
  return t`${plural(count, "job")}; waiting for the kernel to send the list.`;
}
