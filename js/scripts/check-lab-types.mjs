// Compiles src/lab against the types of real JupyterLab releases, and so shows where src/lab/jupyterlab.d.ts, which the
// build uses, has drifted from them:   node scripts/check-lab-types.mjs FOLDER RELEASE...
// A release is a minor version such as 4.4, or newest. Its packages are installed into a folder of its own in FOLDER.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

const [folder, ...releases] = process.argv.slice(2);
/** A package whose versions are those of JupyterLab itself. */
const APPLICATION = "@jupyterlab/application";

const npm = (args, options = {}) =>
  execFileSync("npm", args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], ...options });
const view = (...args) => JSON.parse(npm(["view", "--json", ...args]));

/** The newest patch of a minor release, or the newest release. */
function patchOf(release) {
  const stable = view(APPLICATION, "versions").filter((version) => /^[\d.]+$/.test(version));
  const wanted = release === "newest" ? stable : stable.filter((v) => v.startsWith(`${release}.`));
  const parts = (version) => version.split(".").map(Number);
  const order = (a, b) => a.map((part, at) => part - b[at]).find((difference) => difference) ?? 0;
  wanted.sort((a, b) => order(parts(a), parts(b)));
  if (wanted.length === 0)
    throw new Error(`There is no JupyterLab ${release}: name one such as 4.4.`);
  return wanted.at(-1);
}

/** The packages that src/lab imports. */
async function imported() {
  const found = new Set();
  const files = await readdir("src/lab", { recursive: true });
  for (const file of files.filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".d.ts"))) {
    const text = await readFile(join("src/lab", file), "utf8");
    for (const [, name] of text.matchAll(/from "(@(?:jupyterlab|lumino)\/[\w-]+)"/g))
      found.add(name);
  }
  return [...found].sort();
}

/** The version of each package that a release of JupyterLab has: some have lines of their own. */
function versionsOf(version, names) {
  const found = { [APPLICATION]: version };
  for (const name of names.filter((each) => each.startsWith("@jupyterlab/"))) {
    found[name] ??= version;
    for (const [other, range] of Object.entries(view(`${name}@${found[name]}`, "dependencies"))) {
      if (other.startsWith("@jupyterlab/")) found[other] ??= range.replace(/^[~^]/, "");
    }
  }
  return found;
}

async function install(at, version) {
  if (existsSync(join(at, "node_modules"))) return;
  await mkdir(at, { recursive: true });
  const names = await imported();
  const versions = versionsOf(version, [APPLICATION, ...names]);
  const dependencies = Object.fromEntries(names.map((name) => [name, versions[name] ?? "*"]));
  // npm would take newer ones for the packages of packages
  const wanted = { private: true, dependencies, overrides: versions };
  await writeFile(join(at, "package.json"), JSON.stringify(wanted, null, 2));
  npm(["install", "--ignore-scripts", "--silent"], { cwd: at });
}

async function check(release) {
  const version = patchOf(release);
  const at = resolve(folder, version);
  await install(at, version);
  const configuration = {
    extends: resolve("tsconfig.json"),
    compilerOptions: {
      paths: {
        "#shared/question": [resolve("src/shared/question.tsx")],
        "#shared/*.css": [resolve("src/shared/*.css")],
        "#shared/*": [resolve("src/shared/*.ts")],
        preact: [resolve("node_modules/preact")],
        "preact/*": [resolve("node_modules/preact/*")],
        "@jupyterlab/*": [join(at, "node_modules/@jupyterlab/*")],
        "@lumino/*": [join(at, "node_modules/@lumino/*")],
      },
    },
    include: [resolve("src/lab"), resolve("src/shared/css.d.ts")],
    exclude: [resolve("src/lab/jupyterlab.d.ts"), resolve("src/lab/container.ts")],
  };
  await writeFile(join(at, "tsconfig.json"), JSON.stringify(configuration, null, 2));
  console.log(`src/lab against JupyterLab ${version}`);
  execFileSync(resolve("node_modules/.bin/tsc"), ["--noEmit", "--project", at], {
    stdio: "inherit",
  });
}

let failed = 0;
for (const release of releases) {
  try {
    await check(release);
  } catch (error) {
    // the compiler has printed its own errors
    if (error.status === undefined) console.error(error.message);
    failed++;
  }
}
process.exit(failed ? 1 : 0);
