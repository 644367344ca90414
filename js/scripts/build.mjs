// Bundles the panel into the Python package: panel.js and panel.css travel with every widget, plotly once per page.
import { build, context } from "esbuild";

const out = "../qsession_widgets/static";
const common = {
  bundle: true,
  format: "esm",
  minify: true,
  target: ["es2022"],
  legalComments: "none",
  logLevel: "warning",
};
const panel = {
  ...common,
  entryPoints: { panel: "src/panel/index.tsx" },
  outdir: out,
  jsx: "automatic",
  jsxImportSource: "preact",
};
const plotly = {
  ...common,
  // plotly's licence has to stay with it
  legalComments: "inline",
  stdin: { contents: 'export { default } from "plotly.js-basic-dist-min";', resolveDir: "." },
  outfile: `${out}/plotly.min.js`,
};

if (process.argv.includes("--watch")) {
  const watching = await context(panel);
  await watching.watch();
} else {
  await Promise.all([build(panel), build(plotly)]);
}
