"""Prints what the lab extension adds to JupyterLab's start, in milliseconds and in bytes.

    python -m tests.browser.measure_lab [starts]

Of each start it takes how long the page's main thread is busy with the extension before the lab is
there: running its files, and activating each of its plugins. The files are fetched beside the lab's
own. The bytes are what the server sends before anything of it was used, compressed as a proxy does.
"""

from __future__ import annotations

import gzip
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

STATIC = Path(__file__).parents[2] / "qsession_widgets" / "labextension" / "static"
WATCH = """
(() => {
    const spent = (window.spent = { files: 0, plugins: {} });
    const wrap = (container) => {
        const get = container.get;
        container.get = async (name) => {
            const before = performance.now();
            const factory = await get(name);
            spent.loaded = performance.now() - before;
            const exports = factory();
            for (const plugin of exports.default) {
                const { activate } = plugin;
                plugin.activate = (...services) => {
                    const begun = performance.now();
                    try {
                        return activate(...services);
                    } finally {
                        spent.plugins[plugin.id] = performance.now() - begun;
                    }
                };
            }
            return () => exports;
        };
        return container;
    };
    let containers = {};
    Object.defineProperty(window, "_JUPYTERLAB", {
        get: () => containers,
        set: (value) => {
            containers = new Proxy(value, {
                set: (target, name, each) => {
                    target[name] = name === "qsession-widgets" ? wrap(each) : each;
                    return true;
                },
            });
        },
    });
    window._JUPYTERLAB = {};
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            for (const script of entry.scripts ?? []) {
                if (script.sourceURL.includes("qsession-widgets")) spent.files += script.duration;
            }
        }
    }).observe({ type: "long-animation-frame", buffered: true });
})()
"""


def main() -> None:
    """Start the lab's page a few times and print the medians."""
    starts = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    home = tempfile.mkdtemp(prefix="qsession-measure-")
    os.environ["HOME"] = home
    for name in ("CONFIG", "DATA", "RUNTIME"):
        os.environ[f"JUPYTER_{name}_DIR"] = os.path.join(home, name.lower())
    from ..panel import harness
    from .lab import running_lab

    path = os.environ.get("QSESSION_CHROMIUM") or shutil.which("chromium")
    if path is None:
        sys.exit("There is no Chromium here: install one (make chromium), then try again.")
    try:
        with running_lab(Path(home) / "lab") as lab, sync_playwright() as playwright:
            browser = harness.launch(playwright, path)
            found = [_start(browser, f"{lab.url}lab?token={lab.token}") for _ in range(starts)]
            browser.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for what in ("plugins, ms", "long tasks of its files, ms", "from asked to loaded, ms"):
        print(f"{what}: median {statistics.median(each[what] for each in found):.1f}")
    print(f"before first use, bytes gzip: {found[0]['bytes']:.0f}")


def _start(browser: Browser, url: str) -> dict[str, float]:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(url)
    page.wait_for_function("() => window.jupyterapp !== undefined")
    page.evaluate("() => window.jupyterapp.restored.then(() => undefined)")
    spent = page.evaluate("() => window.spent")
    loaded = page.evaluate(
        """() => performance.getEntriesByType('resource').map(entry => entry.name)
            .filter(name => name.includes('/qsession-widgets/static/'))"""
    )
    context.close()
    files = {name.rpartition("/")[2].partition("?")[0] for name in loaded}
    size = sum(len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in files)
    return {
        "plugins, ms": sum(spent["plugins"].values()),
        "long tasks of its files, ms": spent["files"],
        "from asked to loaded, ms": spent["loaded"],
        "bytes": size,
    }


if __name__ == "__main__":
    main()
