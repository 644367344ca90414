"""Prints what the lab extension adds to JupyterLab's start, in milliseconds and in bytes.

    python -m tests.browser.measure_lab [starts]

Each start is made twice, in turn: with the extension and with its files withheld, from the request
for the page until the lab is restored. Of those with it, it tells how long activating its plugins
takes. The bytes are those of the files that were loaded before anything of it was used, compressed
as a proxy does it.
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

WATCH = """
(() => {
    const spent = (window.spent = { plugins: {} });
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
    let app;
    Object.defineProperty(window, "jupyterapp", {
        get: () => app,
        set: (value) => {
            app = value;
            app.restored.then(() => { spent.restored = performance.now(); });
        },
    });
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
            url = f"{lab.url}lab?token={lab.token}"
            _start(browser, url, True)
            pairs = [
                (_start(browser, url, True), _start(browser, url, False)) for _ in range(starts)
            ]
            browser.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    with_it, without = zip(*pairs, strict=True)
    start, bare = (
        statistics.median(one["restored"] for one in half) for half in (with_it, without)
    )
    plugins = statistics.median(one["plugins"] for one in with_it)
    print(f"restored, ms: median {start:.0f} with it, {bare:.0f} without, of {starts} each")
    print(f"activating its plugins, ms: median {plugins:.1f}")
    print(f"before first use, bytes gzip: {with_it[0]['bytes']:.0f}")


def _start(browser: Browser, url: str, extended: bool) -> dict[str, float]:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(WATCH)
    if not extended:
        page.route("**/qsession-widgets/static/**", lambda route: route.abort())
    page.goto(url)
    page.wait_for_function("() => window.spent.restored !== undefined")
    spent = page.evaluate("() => window.spent")
    loaded = page.evaluate(
        """() => performance.getEntriesByType('resource').map(entry => entry.name)
            .filter(name => name.includes('/qsession-widgets/static/'))"""
    )
    context.close()
    files = {name.rpartition("/")[2].partition("?")[0] for name in loaded} if extended else set()
    # the copy that this lab loads; the checkout's may be built again meanwhile
    static = Path(os.environ["JUPYTER_DATA_DIR"]) / "labextensions" / "qsession-widgets" / "static"
    return {
        "restored": spent["restored"],
        "plugins": sum(spent["plugins"].values()),
        "bytes": sum(len(gzip.compress((static / name).read_bytes(), 9)) for name in files),
    }


if __name__ == "__main__":
    main()
