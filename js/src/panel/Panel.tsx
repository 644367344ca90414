import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { advice } from "#shared/advice";
import { noun } from "#shared/consequences";
import {
  emptyTimeout,
  idleTimeout,
  interactiveTimeout,
  maximumTime,
  pendingJobs,
} from "#shared/countdowns";
import { formatDuration, unbroken } from "#shared/format";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import { onThemeChange, pageTheme } from "#shared/theme";
import { Closed } from "./Closed";
import { Clocks } from "./Clocks";
import { JobMode } from "./JobMode";
import { Header, refusals } from "./Header";
import { Jobs } from "./Jobs";
import { Notices } from "./Notices";
import { ticker, type Ticking } from "./page";
import { Rules } from "./Rules";
import type { SessionStore } from "./store";
import { Timeline } from "./Timeline";

/** Milliseconds until a number on the panel changes; Infinity when all of them stand still. */
function untilNextChange(store: SessionStore): number {
  const { snapshot } = store;
  if (snapshot.state === "closed" && pendingJobs(snapshot).length === 0) return Infinity;
  const now = store.now();
  const clocks = [interactiveTimeout, maximumTime, emptyTimeout, idleTimeout].map((f) =>
    f(snapshot, now),
  );
  const clock = clocks.find((each) => each?.running && each.remaining > 0);
  // just after the second turns over, so that no second is shown twice or skipped
  const service = clock ? (clock.remaining % 1) + 0.01 : 1;
  return Math.min(1000, Math.max(100, (service / store.clock.secondsPerSecond) * 1000));
}

const ASLEEP_MS = 60_000;

export function Panel({ store }: { store: SessionStore }) {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  const root = useRef<HTMLElement>(null);
  const [theme, setTheme] = useState(pageTheme);
  const [selected, setSelected] = useState<string | null>(null);

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
      stopTicking = shown ? ticker().add(member) : undefined;
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
      ticker().reschedule(member);
    });
    return () => {
      observer.disconnect();
      unsubscribe();
      stopTicking?.();
    };
  }, [store]);

  const { snapshot } = store;
  const now = store.now();
  return (
    <section ref={root} class="qs-panel" data-theme={theme} aria-label={nameOf(snapshot)}>
      <Header store={store} now={now} />
      <Notices store={store} now={now} />
      <Figures store={store} now={now} />
      <Rules store={store} now={now} />
      <Timeline store={store} now={now} theme={theme} selected={selected} onSelect={setSelected} />
      <Jobs store={store} now={now} selected={selected} onSelect={setSelected} />
      <footer class="qs-foot">
        <p class="qs-advice">
          {store.jobsKnown ? unbroken(advice(snapshot, now, refusals(store).close === null)) : ""}
        </p>
        <p class="qs-checked">{answered(store, now)}</p>
      </footer>
    </section>
  );
}

function nameOf(snapshot: SessionSnapshot): string {
  const what = noun(snapshot);
  return `${what[0]!.toUpperCase()}${what.slice(1)} on ${snapshot.backend}`;
}

function Figures(props: { store: SessionStore; now: number }) {
  const { mode, state } = props.store.snapshot;
  if (mode === "job") return <JobMode {...props} />;
  return state === "closed" ? <Closed {...props} /> : <Clocks {...props} />;
}

const RECENT_SECONDS = 5;

/** How old the service's last answer is: it asks on while nothing changes, but tells only of what does. */
function answered(store: SessionStore, now: number): string {
  const { mode, poll_interval, problem, state, answered_at, service } = store.snapshot;
  if (store.link === "lost" || store.link === "silent" || store.link === "broken")
    return "not being checked";
  if (store.link === "connecting") return "connecting to the kernel";
  const told = (now - answered_at) / service.speed;
  if (problem !== null) return unbroken(`answered ${formatDuration(told)} ago`);
  if (poll_interval > 0) {
    return Math.min(poll_interval, told) <= RECENT_SECONDS
      ? "up to date"
      : unbroken(`checked every ${formatDuration(poll_interval)}`);
  }
  if (mode === "job") return "nothing to ask about";
  return state === "closed" ? "usage is final" : "no longer checked";
}
