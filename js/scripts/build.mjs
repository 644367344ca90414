// Bundles the panel into the Python package: panel.js and panel.css travel with every panel, part.js with every part of
// one, plotly once per page.
import { readFile, writeFile } from "node:fs/promises";
import { deflateRawSync } from "node:zlib";
import { build, context } from "esbuild";
import { minify } from "terser";

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
  // a character is sent as it is and not as an escape, which is twice its length
  charset: "utf8",
  // children as arguments are shorter than as a property
  jsx: "transform",
  jsxFactory: "h",
  jsxFragment: "Fragment",
  inject: ["scripts/jsx.mjs"],
  tsconfigRaw: { compilerOptions: { target: "ES2022", verbatimModuleSyntax: true } },
};
const part = { ...common, entryPoints: { part: "src/panel/part.ts" }, outdir: out };
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
  await Promise.all([build(panel), build(part), build(plotly)]);
  // every widget carries the panel: it travels compressed, which halves it
  const file = `${out}/panel.js`;
  const { code } = await minify(await readFile(file, "utf8"), {
    module: true,
    ecma: 2020,
    compress: { passes: 5, pure_getters: true, unsafe_arrows: true, keep_fargs: false },
  });
  await writeFile(file, selfExtracting(code));
}

/** A module that unpacks `code`, a module too, and hands on what that exports by default: the widget's factory. */
function selfExtracting(code) {
  // of more memory come longer blocks, which fit less what is in them
  const packed = deflateRawSync(code, { level: 9, memLevel: 7 }).toString("base64");
  const loader = `const packed = "${packed}";
export default async () => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const text = await new Response(unpacked).text();
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    return (await import(url)).default();
  } finally {
    URL.revokeObjectURL(url);
  }
};
`;
  return loader.replace(/\n +/g, "\n");
}
