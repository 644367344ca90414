"""Messages between the pool and a worker: a small JSON head and a body of raw text.

The body travels beside the head because jobs and results are JSON texts of up to many megabytes:
inside the head they would be escaped, parsed and unescaped once more on each side.
"""

from __future__ import annotations

import json
import struct
from asyncio import StreamReader
from collections.abc import Mapping
from typing import Any, BinaryIO

_SIZES = struct.Struct(">IQ")

LARGEST_BODY = 1 << 32
"""Bytes; a longer announced body means that the stream is out of step, not that a job is large."""


def pack(head: Mapping[str, Any], body: str = "") -> bytes:
    """Return one message as bytes."""
    encoded_head = json.dumps(head).encode()
    encoded_body = body.encode()
    return _SIZES.pack(len(encoded_head), len(encoded_body)) + encoded_head + encoded_body


def _sizes(prefix: bytes) -> tuple[int, int]:
    head_size, body_size = _SIZES.unpack(prefix)
    if body_size > LARGEST_BODY:
        raise ValueError(f"A message body of {body_size} bytes was announced.")
    return head_size, body_size


def _unpack(head: bytes, body: bytes) -> tuple[dict[str, Any], str]:
    return json.loads(head), body.decode()


async def receive(stream: StreamReader) -> tuple[dict[str, Any], str]:
    """Read one message from an asyncio stream.

    Raises
    ------
    asyncio.IncompleteReadError
        If the other side went away.
    """
    head_size, body_size = _sizes(await stream.readexactly(_SIZES.size))
    return _unpack(await stream.readexactly(head_size), await stream.readexactly(body_size))


def read(stream: BinaryIO) -> tuple[dict[str, Any], str]:
    """Read one message from a blocking stream.

    Raises
    ------
    EOFError
        If the other side went away.
    """

    def exactly(size: int) -> bytes:
        data = stream.read(size)
        if len(data) < size:
            raise EOFError
        return data

    head_size, body_size = _sizes(exactly(_SIZES.size))
    return _unpack(exactly(head_size), exactly(body_size))
