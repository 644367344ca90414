// The jobs of a session: the latest of them, or all of them, filtered and sorted, when asked.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatCount, plural } from "#shared/format";
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";
import { Detail, JobRow } from "./JobRow";
import { countFilters, FILTERS, Listing, type Filter, type Order, type SortKey } from "./listing";
import { Progress } from "./Progress";
import { Rows, Spacer } from "./Rows";
import type { SessionStore } from "./store";

const LATEST = 4;

const NONE: JobRecord[] = [];

interface Props {
  store: SessionStore;
  now: number;
  selected: string | null;
  onSelect: (id: string | null) => void;
}

/** The latest jobs; all of them, filtered and sorted, when asked. Only the rows in sight are in the page. */
export function Jobs({ store, now, selected, onSelect }: Props) {
  const [expanded, setExpanded] = useState(false);
  const [order, setOrder] = useState<Order>({ filter: "all", key: "created", up: false });
  const listing = useRef(new Listing());
  const { snapshot } = store;
  const jobs = store.jobsKnown ? snapshot.jobs : NONE;
  const earlier = Math.max(0, jobs.length - LATEST);

  // running jobs sorted by time may lag until the next fact: rows must not dance every second
  const listed = useMemo(
    () => (expanded ? listing.current.list(jobs, order, now) : jobs.slice(-LATEST).reverse()),
    [jobs, expanded, order],
  );
  // a bar of the timeline may stand for any of them
  useEffect(() => {
    if (selected !== null && !listed.some((job) => job.id === selected)) setExpanded(true);
  }, [selected]);
  const counts = useMemo(() => (expanded ? countFilters(jobs) : null), [jobs, expanded]);

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
    <div class="qs-jobs">
      {counts && (
        <div class="qs-filter" role="group" aria-label="Show jobs">
          {(Object.keys(FILTERS) as Filter[]).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={order.filter === name}
              onClick={() => setOrder({ ...order, filter: name })}
            >
              {name === "failed" ? "failed or cancelled" : name}{" "}
              <span class="qs-count">{formatCount(counts[name])}</span>
            </button>
          ))}
        </div>
      )}
      <Rows jobs={listed} order={order} windowed={expanded} selected={selected}>
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
                  whole={!expanded}
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

function emptyWords(snapshot: SessionSnapshot): string {
  if (snapshot.state === "closed") return "It ran no job.";
  if (snapshot.mode === "job")
    return "No job yet: each one goes through the normal queue by itself.";
  const queue = snapshot.queue_length;
  const waiting =
    queue === null
      ? ""
      : ` ${plural(queue, "job")} ${queue === 1 ? "waits" : "wait"} on ${snapshot.backend} now.`;
  return `No job yet: the first one enters the normal queue and starts the clocks.${waiting}`;
}

function unknownWords(store: SessionStore): string {
  const count = store.total;
  if (count === 0) return "No job is known.";
  return `${plural(count, "job")}; waiting for the kernel to send the list.`;
}
