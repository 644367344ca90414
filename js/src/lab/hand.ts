// Where the reader's hand was last. What ends under it is no news.

const LATELY_MS = 20_000;

/** Whether the reader has clicked or typed in a place within the last seconds. */
export function watchHand(place: () => Node | null | undefined): () => boolean {
  let at = -Infinity;
  const moved = ({ target }: Event) => {
    if (place()?.contains(target as Node)) at = performance.now();
  };
  document.addEventListener("pointerdown", moved, true);
  document.addEventListener("keydown", moved, true);
  return () => performance.now() - at < LATELY_MS;
}
