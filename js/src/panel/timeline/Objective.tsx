// The objective: a lane above the jobs on the same axis of time, and its latest and best value in words.
import { sentences, t } from "#shared/translation";
import { useMemo, useState } from "preact/hooks";
import { formatClock, formatValue } from "#shared/formatting";
import { activePeriods } from "#shared/metrics";
import type { Series } from "#shared/objective";
import { READ_SERIES } from "#shared/snapshot.gen";
import { objectivePath, type Mark } from "./objectivePath";
import type { ChartScale } from "./scale";
import { details } from "../state/jobTimes";
import type { SessionStore } from "../state/store";
import { Tip } from "./Tip";

interface Props {
  store: SessionStore;
  now: number;
  selected: string | null;
  onSelect: (id: string | null) => void;
}

/** Whether there is a lane: from the first job on whose result has a value, or from the first value. */
export function hasObjective({ shownSeries, snapshot }: SessionStore): boolean {
  return shownSeries !== null || snapshot.jobs.some(({ program }) => program === "estimator");
}

/** Height of the lane in pixels where letters are as large as usual. */
const HEIGHT = 92;
/** Pixels around a value in which the pointer means it. */
const REACH = 24;

export function Objective({
  store,
  now,
  frame,
  selected,
  onSelect,
}: Props & { frame: ChartScale }) {
  const [pointed, setPointed] = useState<Mark | null>(null);
  const { snapshot, shownSeries: series } = store;
  const { goal } = store.objective;
  const { size, range } = frame;
  const { margin, plotWidth: width } = size;
  const height = HEIGHT * size.scale;
  const path = useMemo(
    () => series && objectivePath(series.points, goal, range, width, height),
    [series, series?.points.length, goal, ...range, width, height],
  );
  const place = (time: number) => Math.max(0, Math.min(width, frame.left(time)));
  const over = snapshot.state === "closed";
  const end = over ? (snapshot.closed_at ?? now) : Infinity;
  const nowAt = frame.left(now);
  const periods = activePeriods(snapshot, now);
  const bar = (from: number, to: number) => ({
    x: place(from),
    width: place(to) - place(from),
    height,
  });
  const nearest = (event: MouseEvent): Mark | null => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const away = (mark: Mark) => Math.hypot(mark.x - x, (mark.y - y) / 4);
    let found: Mark | null = null;
    for (const mark of path?.marks ?? []) if (!found || away(mark) < away(found)) found = mark;
    return found && Math.abs(found.x - x) <= REACH ? found : null;
  };
  const picked = path?.marks.filter(({ point }) => point.job_id === selected && selected !== null);
  return (
    <div class="qs-objective" role="img" aria-label={series ? spoken(store, series) : none(over)}>
      <svg width={size.width} height={height} aria-hidden="true">
        {!size.narrow && (
          <text class="qs-lane-name" x="16" y={NAME_AT * size.scale}>{t`objective`}</text>
        )}
        {path?.ticks.map(({ y, text }) => (
          <text key={text} class="qs-lane-tick" x={margin.l - 6} y={y} dy="0.35em">
            {text}
          </text>
        ))}
        <svg x={margin.l} width={width} height={height}>
          {periods[0] && <rect class="qs-lane-off" {...bar(periods[0][0], end)} />}
          {periods.map(([from, to], i) => {
            const lasts = i === periods.length - 1 && snapshot.state === "active";
            return <rect key={from} class="qs-lane-band" {...bar(from, lasts ? Infinity : to)} />;
          })}
          {path?.ticks.map(({ y }) => (
            <line key={y} class="qs-lane-grid" x2={width} y1={y} y2={y} />
          ))}
          {path && (
            <>
              <path class="qs-lane-error" d={path.errors} />
              <path class={`qs-lane-value${path.many ? " qs-lane-many" : ""}`} d={path.values} />
              <path
                class="qs-lane-best"
                d={`${path.best}H${place(Math.min(now, end)).toFixed(1)}`}
              />
            </>
          )}
          {!over && nowAt >= 0 && nowAt <= width && (
            <line class="qs-live-now" x1={nowAt} x2={nowAt} y2={height} />
          )}
          {[...(picked ?? []), ...(pointed ? [pointed] : [])].map(({ x, y }) => (
            <circle class="qs-lane-picked" cx={x} cy={y} r="5" />
          ))}
          <rect
            class="qs-lane-hit"
            width={width}
            height={height}
            onPointerMove={(event) => setPointed(nearest(event))}
            onPointerLeave={() => setPointed(null)}
            onClick={(event) => {
              const id = nearest(event)?.point.job_id;
              if (id) onSelect(id);
            }}
          />
        </svg>
      </svg>
      {!path && (
        <span class="qs-lane-empty" style={{ left: `${margin.l + 8}px` }}>
          {series ? t`no value in this part` : none(over)}
        </span>
      )}
      {pointed && (
        <Tip x={margin.l + pointed.x} y={pointed.y} width={size.width}>
          {tipLines(store, pointed, now)}
        </Tip>
      )}
    </div>
  );
}

/** Where the lane's name stands. */
const NAME_AT = 14;
const none = (over: boolean) => (over ? t`no value was read` : t`no value read yet`);

function tipLines(store: SessionStore, { point }: Mark, now: number): string[] {
  const job = store.snapshot.jobs.find(({ id }) => id === point.job_id);
  return [
    `${point.series} ${formatValue(point.value, point.error)}`,
    `${point.series === READ_SERIES ? "read" : "logged"} ${formatClock(point.time, now)}`,
    ...(point.step === null ? [] : [t`step ${point.step}`]),
    ...(job ? details(job, now) : []),
  ];
}

function spoken(store: SessionStore, series: Series): string {
  const { latest, points } = series;
  const { goal } = store.objective;
  const { value, error } = series.best(goal);
  return t`${series.name}, ${points.length} values: the latest ${formatValue(latest.value, latest.error)}, the best (${GOALS[goal]}) ${formatValue(value, error)}. The jobs' values are in the table below.`;
}

/** The shown series in words; which it is, and which of its values is best, can be chosen here. */
export function ObjectiveWords({ store, onSelect }: Pick<Props, "store" | "onSelect">) {
  const series = store.shownSeries;
  if (!series) return null;
  const { goal } = store.objective;
  const { latest } = series;
  const best = series.best(goal);
  const number = store.numberOf(best.job_id);
  const noise = series.noisy && series.points.length > 1;
  return (
    <span class="qs-objective-words">
      {store.series.all.length > 1 ? (
        <select
          class="qs-series"
          aria-label={t`Series shown as the objective`}
          value={series.name}
          onChange={(event) => store.showObjective({ name: event.currentTarget.value })}
          onKeyDown={(event) => event.stopPropagation()}
        >
          {store.series.all.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      ) : (
        <span class="qs-series" dir="auto" title={series.name}>
          {series.name}
        </span>
      )}{" "}
      <b>{formatValue(latest.value, latest.error)}</b> ·{" "}
      <span class="qs-goal">
        {t`best (`}
        <button
          type="button"
          class="qs-price"
          aria-label={t`The best is the ${GOALS[goal]}: change`}
          title={t`Show the ${GOALS[OTHER[goal]]} as the best`}
          onClick={() => store.showObjective({ goal: OTHER[goal] })}
        >
          {GOALS[goal]}
        </button>
        )
      </span>{" "}
      <button
        type="button"
        class="qs-link qs-best"
        title={t`Show its job`}
        disabled={number === null}
        onClick={() => onSelect(best.job_id)}
      >
        {formatValue(best.value, best.error)}
      </button>
      {number !== null && t` at job ${number}`}
      {noise && (
        <span
          title={t`The best of noisy values is likely too ${goal === "minimum" ? t`low` : t`high`}.`}
        >{t`, picked from noise`}</span>
      )}
    </span>
  );
}

const GOALS = sentences({ minimum: "minimum", maximum: "maximum" });
const OTHER = { minimum: "maximum", maximum: "minimum" } as const;
