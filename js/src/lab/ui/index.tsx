// The components that are loaded when the popover or the side panel is first used.
import { render } from "preact";
import type { WorkloadRef } from "#shared/serverTypes";
import { addStyle } from "./style";
import tokens from "#shared/tokens.css";
import css from "./lab.css";
import sideCss from "./sidePanel.css";
import type { Context } from "./context";
import { Popover } from "./Popover";
import { SidePanel } from "./SidePanel";

const STYLE = tokens + css + sideCss;

/** Draws the side panel into a node; the function it gives back draws it again, seen or not. */
export function mountPanel(node: HTMLElement, context: Context): (visible: boolean) => void {
  addStyle("ui", STYLE);
  const draw = (visible: boolean) =>
    render(<SidePanel context={context} visible={visible} />, node);
  draw(true);
  return draw;
}

let close: ((focus?: boolean) => void) | null = null;
let openAt: HTMLElement | null = null;

/** Opens the popover at a button, or closes it when it is open there. */
export function togglePopover(anchor: HTMLElement, which: WorkloadRef, context: Context): void {
  const again = openAt === anchor;
  close?.();
  if (again) return;
  addStyle("ui", STYLE);
  const host = document.createElement("div");
  host.className = "qs-lab-float";
  document.body.append(host);
  const outside = (event: Event) => {
    const target = event.target as Node;
    // a dialog that JupyterLab opens over it belongs to what was clicked in it
    if (!host.contains(target) && !anchor.contains(target)) close?.();
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key === "Escape" && document.activeElement === document.body) close?.();
  };
  const place = () => {
    const at = anchor.getBoundingClientRect();
    const below = at.top < window.innerHeight / 2;
    host.style.left = `${Math.max(6, Math.min(at.left, window.innerWidth - host.offsetWidth - 6))}px`;
    host.style.top = below ? `${at.bottom + 6}px` : "auto";
    host.style.bottom = below ? "auto" : `${window.innerHeight - at.top + 6}px`;
  };
  close = (focus = true) => {
    const at = document.activeElement;
    // a button that was pressed may be gone with what it could do, and the focus with it
    const within = focus && (host.contains(at) || at === document.body);
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", escape);
    window.removeEventListener("resize", place);
    render(null, host);
    host.remove();
    anchor.setAttribute("aria-expanded", "false");
    // with its session closed the button may be gone: then back to the notebook
    if (within && anchor.offsetParent) anchor.focus();
    else if (within) context.backToWork();
    close = openAt = null;
  };
  openAt = anchor;
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", escape);
  window.addEventListener("resize", place);
  const done = close;
  render(
    <Popover context={context} which={which} close={() => done()} vanish={() => done(false)} />,
    host,
  );
  place();
}
