// The module federation container that JupyterLab loads first, written by hand. JupyterLab asks it for the plugins
// (`get`) after it has told where its own modules are (`init`). Building it with a bundler of JupyterLab's would
// need all of JupyterLab's packages at every install; this needs esbuild, and takes the modules of the page.

interface SharedVersion {
  get(): Promise<() => unknown> | (() => unknown);
  from: string;
  loaded?: boolean | number;
}
type Scope = Record<string, Record<string, SharedVersion>>;

/** Filled in by scripts/build-lab.mjs: the plugins' file, and the modules of JupyterLab's that are imported in any. */
declare const ENTRY: string;
declare const SHARED: string[];

const PAGE = window as unknown as {
  _JUPYTERLAB: Record<string, unknown>;
  _QSESSION_SHARED: Record<string, unknown>;
};
const here = (document.currentScript as HTMLScriptElement).src;
let scope: Scope = {};

function newer(a: string, b: string): boolean {
  const [x, y] = [a, b].map((version) => version.split(/[.+-]/).map((part) => Number(part) || 0));
  for (let i = 0; i < 3; i++) if (x![i] !== y![i]) return (x![i] ?? 0) > (y![i] ?? 0);
  return false;
}

/** The version that the page itself uses, or would use: there is to be one of each module. */
function choose(versions: Record<string, SharedVersion>): SharedVersion | undefined {
  let chosen: string | undefined;
  for (const version of Object.keys(versions)) {
    if (!chosen || (!versions[chosen]!.loaded && newer(version, chosen))) chosen = version;
  }
  return chosen === undefined ? undefined : versions[chosen];
}

async function share(name: string): Promise<void> {
  const version = choose(scope[name] ?? {});
  if (!version) return;
  version.loaded = 1;
  PAGE._QSESSION_SHARED[name] = (await version.get())();
}

async function get(name: string): Promise<() => unknown> {
  if (name !== "./extension") throw new Error(`qsession-widgets has no module ${name}`);
  const entry = new URL(ENTRY, here).href;
  const preload = document.createElement("link");
  preload.rel = "modulepreload";
  preload.href = entry;
  document.head.append(preload);
  // another front end than JupyterLab may lack a module: what needs it is then left out
  PAGE._QSESSION_SHARED = {};
  await Promise.all(SHARED.map(share));
  const plugins = (await import(entry)) as { default: unknown };
  return () => ({ __esModule: true, default: plugins.default });
}

PAGE._JUPYTERLAB ??= {};
PAGE._JUPYTERLAB["qsession-widgets"] = {
  init(shared: Scope) {
    scope = shared;
  },
  get,
};
