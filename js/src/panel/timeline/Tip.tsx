// What is said of the mark under the pointer.

interface Props {
  /** Of the mark, from the left and top of what the tip lies in. */
  x: number;
  y: number;
  width: number;
  /** A line each, the first one in bold. */
  children: string[];
}

export function Tip({ x, y, width, children: lines }: Props) {
  // on the side where there is room
  const side = x > width / 2 ? { right: `${width - x + 6}px` } : { left: `${x + 10}px` };
  return (
    <div
      class="qs-live-tip"
      aria-hidden="true"
      style={{ ...side, top: `${Math.max(2, y - 12)}px` }}
    >
      {lines.map((line, i) => (i === 0 ? <b>{line}</b> : <div>{line}</div>))}
    </div>
  );
}
