// The notebook's cells, as the panel in it and the lab extension speak of them.

/**
 * Scroll the notebook around an element to the code cell that ran as this number. Resolves with the cell, or null where
 * there is none.
 */
export type ShowCell = (inside: Element, count: number) => Promise<Element | null>;

/** The name under which the lab extension offers it on the page. */
export const SHOW_CELL = Symbol.for("qsession-widgets.show-cell.1");
