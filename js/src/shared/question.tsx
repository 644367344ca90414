// A question before something is lost, for the panel, the popover and the side panel. The rule for every one of them:
// it stays until it is answered or dismissed, live data change its sentence and never whether it is shown; focus moves
// only in answer to a click or key of the user's inside the control; and no control takes a click or key within half a
// second of its appearing, of its moving, or of a change of what it does, nor one that began as a click on another.
import { t } from "./translation";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { SETTLE_MS, Settled, type Position } from "./settled";

export interface Steady {
  ref: { current: HTMLButtonElement | null };
  /** Not settled yet: to be shown as aria-disabled. */
  settling: boolean;
  takes(event: MouseEvent): boolean;
}

/** Guards a button whose meaning, or place in its panel, follows live data. */
export function useSteady(meaning: string): Steady {
  const ref = useRef<HTMLButtonElement>(null);
  const [settled] = useState(() => new Settled());
  const [since, setSince] = useState(0);
  const [, redraw] = useState(0);
  useLayoutEffect(() => {
    const now = performance.now();
    if (settled.see(meaning, positionOf(ref.current), now)) setSince(now);
  });
  useEffect(() => {
    const timer = setTimeout(() => redraw((count) => count + 1), SETTLE_MS + 10);
    return () => clearTimeout(timer);
  }, [since]);
  return {
    ref,
    settling: settled.settling(meaning, performance.now()),
    takes: (event) => settled.takes(event),
  };
}

/** Within its panel: the user's own scrolling of the page moves nothing there. */
function positionOf(button: HTMLElement | null): Position | null {
  const root = button?.closest(".qs-panel, .qs-lab-popover, .qs-lab-panel");
  if (!button || !root) return null;
  const [at, from] = [button.getBoundingClientRect(), root.getBoundingClientRect()];
  return { x: at.left - from.left, y: at.top - from.top };
}

/** Calls back after the next drawing; to move the focus there, in answer to a click or key. */
export function useAfterDrawing(): (then: () => void) => void {
  const waiting = useRef<(() => void) | null>(null);
  useLayoutEffect(() => {
    const then = waiting.current;
    waiting.current = null;
    then?.();
  });
  return (then) => {
    waiting.current = then;
  };
}

/** Whether something is asked, and the focus that goes to the question and back. */
export function useAsking() {
  const [asking, setAsking] = useState(false);
  const question = useRef<HTMLDivElement>(null);
  const asker = useRef<HTMLButtonElement>(null);
  const afterDrawing = useAfterDrawing();
  return {
    asking,
    question,
    asker,
    ask(): void {
      setAsking(true);
      afterDrawing(() => question.current?.focus());
    },
    done(): void {
      // where nothing is left to be asked, the button that asked is gone too
      const around = question.current?.parentElement?.closest<HTMLElement>('[tabindex="-1"]');
      setAsking(false);
      afterDrawing(() => (asker.current ?? around)?.focus());
    },
  };
}

export type Asking = ReturnType<typeof useAsking>;

interface QuestionProps {
  /** Names of classes: of the whole, its sentence, a button, and the button that confirms. */
  styles: { group: string; says: string; button: string; confirm: string };
  focus: { current: HTMLDivElement | null };
  title: string;
  /** What follows, by the facts of now. */
  says: string;
  /** What is lost by confirming, as a code: nobody confirms by a click what began to be so under the pointer. */
  meaning: string;
  /** Why it can no longer be done; null while it can. */
  refused: string | null;
  confirm: string;
  keep: string;
  onConfirm: () => void;
  onDismiss: () => void;
}

/**
 * A question in place. The focus is on the whole of it first: a key that was meant for something else answers nothing,
 * and Tab goes to the button that confirms, then to the one that keeps things as they are.
 */
export function Question(props: QuestionProps) {
  const { styles, focus, title, says, meaning, refused, confirm, keep, onConfirm, onDismiss } =
    props;
  const id = useId();
  // what was read before counts no more: a queue that fills and empties must not hold up the answer for ever
  const [told] = useState(() => new Set<string>());
  return (
    <div
      ref={focus}
      class={styles.group}
      role="group"
      tabIndex={-1}
      aria-label={title}
      aria-describedby={id}
      // JupyterLab: letters that are typed here are no commands to the notebook
      data-lm-suppress-shortcuts="true"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onDismiss();
      }}
    >
      <span id={id} class={styles.says} aria-live={refused === null ? "off" : "polite"}>
        {says}
      </span>
      <Answer
        class={`${styles.button} ${styles.confirm}`}
        describedBy={id}
        meaning={String(told.add(meaning).size)}
        refused={refused}
        onClick={onConfirm}
      >
        {confirm}
      </Answer>
      <Answer class={styles.button} meaning="" refused={null} onClick={onDismiss}>
        {refused === null ? keep : t`Dismiss`}
      </Answer>
    </div>
  );
}

interface AnswerProps {
  class: string;
  describedBy?: string;
  meaning: string;
  refused: string | null;
  onClick: () => void;
  children: ComponentChildren;
}

function Answer({ class: name, describedBy, meaning, refused, onClick, children }: AnswerProps) {
  const { ref, settling, takes } = useSteady(refused ?? meaning);
  return (
    <button
      ref={ref}
      type="button"
      class={name}
      {...(describedBy === undefined ? {} : { "aria-describedby": describedBy })}
      aria-disabled={refused !== null || settling}
      onClick={(event) => {
        event.stopPropagation();
        if (takes(event) && refused === null) onClick();
      }}
    >
      {children}
    </button>
  );
}
