// Recent activity of the user in a place, to skip notifications about actions the user just took.

const RECENT_MS = 20_000;

/** A function that tells whether the user clicked or typed in a place within the last 20 seconds. */
export function watchActivity(place: () => Node | null | undefined): () => boolean {
  let at = -Infinity;
  const moved = ({ target }: Event) => {
    if (place()?.contains(target as Node)) at = performance.now();
  };
  document.addEventListener("pointerdown", moved, true);
  document.addEventListener("keydown", moved, true);
  return () => performance.now() - at < RECENT_MS;
}
