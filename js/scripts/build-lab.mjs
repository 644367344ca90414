// Bundles the JupyterLab extension into qsession_widgets/labextension, in the form in which JupyterLab loads prebuilt
// extensions: remoteEntry.<hash>.js, the plugins, and what they load when it is first used.
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { build } from "esbuild";

const NAME = "qsession-widgets";
const out = "../qsession_widgets/labextension";
const common = {
  bundle: true,
  minify: true,
  target: ["es2022"],
  legalComments: "none",
  logLevel: "warning",
  write: true,
};

const shared = new Set();
/** JupyterLab's modules are the page's own: the container has put them where this finds them. */
const fromThePage = {
  name: "from-the-page",
  setup(build) {
    build.onResolve({ filter: /^@(jupyterlab|lumino)\// }, ({ path }) => {
      shared.add(path);
      return { path, namespace: "page" };
    });
    build.onLoad({ filter: /.*/, namespace: "page" }, ({ path }) => ({
      contents: `module.exports = window._QSESSION_SHARED[${JSON.stringify(path)}] ?? {};`,
    }));
  },
};

await rm(out, { recursive: true, force: true });
const plugins = await build({
  ...common,
  entryPoints: { index: "src/lab/index.ts" },
  outdir: `${out}/static`,
  entryNames: "[name].[hash]",
  chunkNames: "[name].[hash]",
  format: "esm",
  splitting: true,
  metafile: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".css": "text", ".svg": "text" },
  plugins: [fromThePage],
});
const entry = Object.entries(plugins.metafile.outputs).find(
  ([, output]) => output.entryPoint === "src/lab/index.ts",
)[0];
const container = await build({
  ...common,
  entryPoints: ["src/lab/container.ts"],
  write: false,
  format: "iife",
  define: {
    ENTRY: JSON.stringify(`./${basename(entry)}`),
    SHARED: JSON.stringify([...shared].sort()),
  },
});
const text = container.outputFiles[0].text;
const remote = `remoteEntry.${createHash("sha256").update(text).digest("hex").slice(0, 12)}.js`;
await writeFile(`${out}/static/${remote}`, text);

const { version, description, license } = JSON.parse(await readFile("package.json", "utf8"));
const described = {
  name: NAME,
  version,
  description,
  license,
  jupyterlab: {
    extension: true,
    schemaDir: "schema",
    _build: { load: `static/${remote}`, extension: "./extension" },
  },
};
await writeFile(`${out}/package.json`, JSON.stringify(described, null, 2) + "\n");
// how JupyterLab's extension manager, and jupyter labextension list, say where it is from
const installed = {
  packageManager: "python",
  packageName: NAME,
  uninstallInstructions: `Use your Python package manager (pip, conda, ...) to uninstall the package ${NAME}`,
};
await writeFile(`${out}/install.json`, JSON.stringify(installed, null, 2) + "\n");
await mkdir(`${out}/schemas/${NAME}`, { recursive: true });
await cp("schema", `${out}/schemas/${NAME}`, { recursive: true });
// settings are looked up beside a description of the package
await cp(`${out}/package.json`, `${out}/schemas/${NAME}/package.json.orig`);
