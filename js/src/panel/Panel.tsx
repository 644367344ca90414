import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { advice } from "#shared/advice";
import { emptyTimeout, interactiveTimeout, maximumTime, pendingJobs } from "#shared/countdowns";
import { onThemeChange, pageTheme } from "#shared/theme";
import { Closed } from "./Closed";
import { Clocks } from "./Clocks";
import { Header } from "./Header";
import { Jobs } from "./Jobs";
import { Notices } from "./Notices";
import { ticker, type Ticking } from "./page";
import type { SessionStore } from "./store";
import { Timeline } from "./Timeline";

/** Milliseconds until a number on the panel changes; Infinity when all of them stand still. */
function untilNextChange(store: SessionStore): number {
  const { snapshot } = store;
  if (snapshot.state === "closed" && pendingJobs(snapshot).length === 0) return Infinity;
  const now = store.now();
  const clocks = [interactiveTimeout, maximumTime, emptyTimeout].map((f) => f(snapshot, now));
  const clock = clocks.find((each) => each?.running && each.remaining > 0);
  // just after the second turns over, so that no second is shown twice or skipped
  const service = clock ? (clock.remaining % 1) + 0.01 : 1;
  return Math.min(1000, Math.max(100, (service / store.clock.secondsPerSecond) * 1000));
}

export function Panel({ store }: { store: SessionStore }) {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  const root = useRef<HTMLElement>(null);
  const [theme, setTheme] = useState(pageTheme);
  const [selected, setSelected] = useState<string | null>(null);

  useEffect(() => onThemeChange(() => setTheme(pageTheme())), []);

  useEffect(() => {
    const member: Ticking = { delay: () => untilNextChange(store), tick: () => redraw() };
    let visible = false;
    // what came between the first drawing and now was not drawn
    let dirty = true;
    let hiddenAt = Date.now();
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
    const onVisibility = () => {
      if (document.hidden) hiddenAt = Date.now();
      // after sleep or a long time in the background: ask what time it is at the service
      else if (Date.now() - hiddenAt > 60_000) store.sync();
    };
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      observer.disconnect();
      unsubscribe();
      stopTicking?.();
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [store]);

  const { snapshot } = store;
  const now = store.now();
  const closed = snapshot.state === "closed";
  return (
    <section
      ref={root}
      class="qs-panel"
      data-theme={theme}
      aria-label={`${snapshot.mode === "batch" ? "Batch" : "Session"} on ${snapshot.backend}`}
    >
      <Header store={store} />
      <Notices store={store} now={now} />
      {closed ? <Closed store={store} now={now} /> : <Clocks store={store} now={now} />}
      <Timeline store={store} now={now} theme={theme} selected={selected} onSelect={setSelected} />
      <Jobs store={store} now={now} selected={selected} onSelect={setSelected} />
      <footer class="qs-foot">
        <p class="qs-advice">{store.jobsKnown ? advice(snapshot, now) : ""}</p>
        <p class="qs-checked">{checked(store)}</p>
      </footer>
    </section>
  );
}

/** How often the kernel asks the service: no message arrives while nothing changes, so no age is claimed. */
function checked(store: SessionStore): string {
  const { poll_interval, problem, state } = store.snapshot;
  if (store.link === "lost" || store.link === "silent") return "not being checked";
  if (store.link === "connecting") return "connecting to the kernel";
  if (problem !== null) return "estimated";
  if (poll_interval > 0) return `checked every ${Number(poll_interval.toPrecision(2))} s`;
  return state === "closed" ? "final" : "no longer checked";
}
