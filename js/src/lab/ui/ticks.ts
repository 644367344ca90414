// One timer for everything that ticks on the page; it stops while the page is hidden or nothing ticks.

const EVERY_MS = 250;
const members = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let watching = false;

/** Calls a few times a second while the page can be seen, until the function it gives back is called. */
export function everyTick(callback: () => void): () => void {
  if (!watching) document.addEventListener("visibilitychange", plan);
  watching = true;
  members.add(callback);
  plan();
  return () => {
    members.delete(callback);
    plan();
  };
}

function plan(): void {
  const wanted = members.size > 0 && !document.hidden;
  if (wanted && timer === undefined) timer = setInterval(run, EVERY_MS);
  if (!wanted) {
    clearInterval(timer);
    timer = undefined;
  }
}

function run(): void {
  for (const member of [...members]) member();
}
