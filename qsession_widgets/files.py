"""Files that several processes share: written whole, and changed under a lock."""

from __future__ import annotations

import errno
import json
import os
import secrets
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def file_lock(path: Path, timeout: float = 0.0) -> BaseFileLock:
    """A lock between processes, and between threads that each make one.

    The system releases it when the process ends, however it ends.

    Parameters
    ----------
    path : Path
        The lock's file, made when it is missing.
    timeout : float
        Seconds to wait for the lock; acquiring it raises `filelock.Timeout` afterwards.
    """
    return FileLock(path, timeout=timeout, mode=PRIVATE_FILE, thread_local=False)


def parse_json(text: str) -> Any:
    """The value of a JSON text that may be damaged.

    Raises
    ------
    ValueError
        It is none, or one that is nested too deeply to be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def write_atomically(
    path: Path, content: str | bytes, *, mode: int = PRIVATE_FILE, durable: bool = False
) -> None:
    """Replace a file as a whole: a reader sees the old content or the new one.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    content : str or bytes
        The new content; text is encoded as UTF-8.
    mode : int
        Permissions of the file; the process's umask is applied.
    durable : bool
        Whether the content must survive a power failure.

    Raises
    ------
    OSError
        It cannot be written; the old file stays.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def private_folder(path: Path) -> Path:
    """A folder, made for its owner alone when it is missing.

    Raises
    ------
    OSError
        It cannot be made.
    """
    for folder in (*reversed(path.parents), path):
        # not `parents=True`, which makes those above as the umask has it
        if not folder.exists():
            folder.mkdir(exist_ok=True, mode=PRIVATE_FOLDER)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return path
