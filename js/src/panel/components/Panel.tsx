import { t } from "#shared/translation";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { advice } from "#shared/suggestions";
import { noun } from "#shared/consequences";
import { stallAdvice } from "#shared/messages/objective";
import {
  emptyTimeout,
  idleTimeout,
  interactiveTimeout,
  maximumTime,
  pendingJobs,
  usage,
} from "#shared/metrics";
import { formatDuration, unbroken, zoneAt } from "#shared/formatting";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import { onThemeChange, pageTheme } from "#shared/theme";
import { ClosedSession } from "./ClosedSession";
import { Clocks } from "./Clocks";
import { JobMode } from "./JobMode";
import { Header, refusals } from "./Header";
import { Jobs } from "./Jobs";
import { Alerts } from "./Alerts";
import { OnIbm } from "./OnIbm";
import { pageClock, type Ticking } from "#shared/pageClock";
import { Policies } from "./Policies";
import { NotPaidAgain, Simulated } from "./Simulated";
import type { SessionStore } from "../state/store";
import { Timeline } from "../timeline/Timeline";

/** Milliseconds until a number on the panel changes; Infinity when all of them stand still. */
function untilNextChange(store: SessionStore): number {
  const { snapshot } = store;
  if (snapshot.state === "closed" && pendingJobs(snapshot).length === 0) return Infinity;
  const now = store.now();
  const clocks = [interactiveTimeout, maximumTime, emptyTimeout, idleTimeout].map((f) =>
    f(snapshot, now),
  );
  // just after a figure turns over, so that other surfaces, which are drawn more often, show the same
  const turns = clocks.map((each) =>
    each?.running && each.remaining > 0 ? each.remaining % 1 : 1,
  );
  const used = usage(snapshot, now).total;
  const unit = used < 10 ? 0.1 : 1;
  if (usage(snapshot, now + 1).total > used) turns.push(unit - (used % unit));
  const service = Math.min(...turns) / store.clock.secondsPerSecond;
  // the clock has moved on since the instant that is shown
  return Math.min(1000, 1000 * service - (Date.now() - pageClock().instant()));
}

const ASLEEP_MS = 60_000;

/** One session, or one part of what is shown of it. */
export function Panel({ store, part }: { store: SessionStore; part?: string }) {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  const root = useRef<HTMLElement>(null);
  const [theme, setTheme] = useState(pageTheme);

  useEffect(() => onThemeChange(() => setTheme(pageTheme())), []);

  useEffect(() => {
    let tickedAt = Date.now();
    const tick = () => {
      // after sleep, or long out of sight: ask what time it is at the service, and what was missed
      if (Date.now() - tickedAt > ASLEEP_MS) store.sync();
      tickedAt = Date.now();
      redraw();
    };
    const member: Ticking = { delay: () => untilNextChange(store), tick };
    let visible = false;
    // what came between the first drawing and now was not drawn
    let dirty = true;
    let stopTicking: (() => void) | undefined;
    const observer = new IntersectionObserver((entries) => {
      const shown = entries[entries.length - 1]!.isIntersecting;
      if (shown === visible) return;
      visible = shown;
      stopTicking?.();
      stopTicking = shown ? pageClock().add(member) : undefined;
      if (shown && dirty) redraw();
      dirty = !shown;
    });
    observer.observe(root.current!);
    const unsubscribe = store.subscribe(() => {
      if (!visible) {
        dirty = true;
        return;
      }
      redraw();
      pageClock().reschedule(member);
    });
    return () => {
      observer.disconnect();
      unsubscribe();
      stopTicking?.();
    };
  }, [store]);

  const { snapshot } = store;
  const now = store.now();
  const shows = (name: string) => part === undefined || part === name;
  const picks = { selected: store.selected, onSelect: store.select };
  const lanes = part === "objective" || part === "timeline" ? part : "all";
  return (
    <section
      ref={root}
      class={part ? "qs-panel qs-part" : "qs-panel"}
      data-theme={theme}
      aria-label={nameOf(snapshot) + (part ? `: ${part}` : "")}
    >
      {shows("buttons") && <Header store={store} now={now} />}
      {shows("clocks") && <Figures store={store} now={now} />}
      {shows("clocks") && <Policies store={store} now={now} />}
      {shows("clocks") && <OnIbm store={store} />}
      {(shows("timeline") || lanes === "objective") && (
        <Timeline store={store} now={now} theme={theme} lanes={lanes} {...picks} />
      )}
      {shows("jobs") && <Jobs store={store} now={now} {...picks} />}
      {shows("jobs") && <NotPaidAgain snapshot={snapshot} />}
      {shows("jobs") && <Simulated jobs={snapshot.jobs} />}
      {shows("buttons") && <Foot store={store} now={now} />}
    </section>
  );
}

function Foot({ store, now }: { store: SessionStore; now: number }) {
  const closable = refusals(store).close === null;
  const words = [
    stallAdvice(store.declaredSeries, store.snapshot),
    advice(store.snapshot, now, closable),
  ];
  return (
    <footer class="qs-foot">
      <div class="qs-say">
        <Alerts store={store} now={now} />
        <p class="qs-advice">{store.jobsKnown ? unbroken(words.filter(Boolean).join(" ")) : ""}</p>
      </div>
      <p class="qs-checked">
        {answered(store, now)} · <span title={t`Time zone`}>{zoneAt(now)}</span>
      </p>
    </footer>
  );
}

function nameOf(snapshot: SessionSnapshot): string {
  const what = noun(snapshot);
  return t`${what[0]!.toUpperCase()}${what.slice(1)} on ${snapshot.backend}`;
}

function Figures(props: { store: SessionStore; now: number }) {
  const { mode, state } = props.store.snapshot;
  if (mode === "job") return <JobMode {...props} />;
  return state === "closed" ? <ClosedSession {...props} /> : <Clocks {...props} />;
}

const RECENT_SECONDS = 5;

/** How old the service's last answer is: it asks on while nothing changes, but tells only of what does. */
function answered(store: SessionStore, now: number): string {
  const { mode, poll_interval, problem, state, answered_at, service, device_time } = store.snapshot;
  if (store.link === "lost" || store.link === "silent" || store.link === "broken")
    return store.fed ? t`checked by the Jupyter server` : t`not updated now`;
  if (store.link === "connecting") return t`connecting to the kernel`;
  const told = (now - answered_at) / service.speed;
  if (problem !== null) return unbroken(t`answered ${formatDuration(told)} ago`);
  if (poll_interval > 0) {
    return Math.min(poll_interval, told) <= RECENT_SECONDS
      ? t`up to date`
      : unbroken(t`checked every ${formatDuration(poll_interval)}`);
  }
  if (mode === "job") return t`no job is pending`;
  if (state !== "closed") return t`no longer checked`;
  return device_time ? t`nothing more will change` : t`usage is final`;
}
