// The functions that JSX is compiled to in the panel.
export { Fragment, h } from "preact";
