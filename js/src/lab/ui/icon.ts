import { LabIcon } from "@jupyterlab/ui-components";

/** A dial with a hand, and a qubit's ring about it. */
export const sessionsIcon = new LabIcon({
  name: "qsession-widgets:sessions",
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<g class="jp-icon3" style="fill: none" stroke="#616161" stroke-width="2" stroke-linecap="round">' +
    '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.2 2.4"/>' +
    '<ellipse cx="12" cy="12" rx="11" ry="4.2" transform="rotate(-28 12 12)" stroke-width="1.3"/></g></svg>',
});
