"""How much memory a simulation may use: the worker's limit, the machine's, or the container's."""

from __future__ import annotations

import os
from pathlib import Path

_UNLIMITED = 1 << 60
"""What version 1 of control groups gives in place of no limit is far above this."""


def available_memory(limit: int | None, root: Path = Path("/")) -> int:
    """The memory a simulation may use.

    Parameters
    ----------
    limit : int or None
        What the worker was told it may use, in bytes.
    root : Path, optional
        Where ``proc`` and ``sys`` are mounted.

    Returns
    -------
    int
        Bytes: the least of that limit, of what the machine has free, and of what is left to the
        control groups this process is in, which is where a container's limit stands.
    """
    known = [_machine(root), *_control_groups(root)]
    if limit is not None:
        known.append(limit)
    return max(0, min(known))


def _machine(root: Path) -> int:
    try:
        for line in (root / "proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4 << 30


def _control_groups(root: Path) -> list[int]:
    """What is left to each control group from this process's up to the topmost, in bytes."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    left = []
    mounted = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            names = ("memory.max", "memory.current", "inactive_file")
            top = mounted
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            top = mounted / "memory"
        else:
            continue
        group = top / path.lstrip("/")
        # inside a container the path may be the host's, of which only the top is mounted
        for folder in (group, *group.parents) if group.is_dir() else (top,):
            found = _left(folder, *names)
            if found is not None:
                left.append(found)
            if folder == top:
                break
    return left


def _left(folder: Path, limit: str, used: str, cache: str) -> int | None:
    """What is left to one control group; None when it has no limit or cannot be read."""
    try:
        text = (folder / limit).read_text(encoding="ascii").strip()
        if text == "max" or int(text) >= _UNLIMITED:
            return None
        taken = int((folder / used).read_text(encoding="ascii"))
        stat = dict(
            line.split() for line in (folder / "memory.stat").read_text("ascii").splitlines()
        )
    except (OSError, ValueError):
        return None
    # files that are cached count as used, and are given up when memory is asked for
    return int(text) - taken + int(stat.get(cache, 0))
