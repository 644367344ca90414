"""Write ``src/shared/snapshot.gen.ts`` from the dataclasses of ``qsession_widgets/snapshot.py``.

The snapshot has one definition, the Python one; the browser's types are made from it. With ``--check`` nothing is
written: the command fails when the file on disk is not what would be written.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "qsession_widgets" / "snapshot.py"
TARGET = HERE.parent / "src" / "shared" / "snapshot.gen.ts"
RECORDS = ("JobRecord", "ServiceInfo", "SessionSnapshot")
SCALARS: Mapping[Any, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def load(path: Path) -> types.ModuleType:
    """Import one file without its package, whose imports are not needed here."""
    spec = importlib.util.spec_from_file_location("snapshot", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"Cannot read {path}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules["snapshot"] = module
    spec.loader.exec_module(module)
    return module


def typescript(hint: Any) -> str:
    """The TypeScript form of one annotation, as it arrives through JSON."""
    if hint in SCALARS:
        return SCALARS[hint]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " | ".join(f'"{value}"' for value in args)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(typescript(arg) for arg in args)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return f"{typescript(args[0])}[]"
    if origin is tuple:
        return f"[{', '.join(typescript(arg) for arg in args)}]"
    if isinstance(hint, type) and hint.__name__ in RECORDS:
        return hint.__name__
    raise SystemExit(f"No TypeScript form is known for {hint!r}; add one to generate_types.py.")


def generate() -> str:
    """The whole file."""
    module = load(SOURCE)
    parts = [
        "// Generated from qsession_widgets/snapshot.py by scripts/generate_types.py; change it there.",
        "",
        f"export const SCHEMA_VERSION = {module.SCHEMA_VERSION};",
        "",
        f"export const EMPTY_SESSION_TTL = {module.EMPTY_SESSION_TTL:g};",
    ]
    for name in RECORDS:
        record = getattr(module, name)
        hints = typing.get_type_hints(record, vars(module))
        lines = [f"  {field.name}: {typescript(hints[field.name])};" for field in fields(record)]
        parts += ["", f"export interface {name} {{", *lines, "}"]
    parts += ["", 'export type JobStatus = JobRecord["status"];', ""]
    return "\n".join(parts)


def main() -> None:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="fail when the file on disk is outdated"
    )
    wanted = generate()
    if not parser.parse_args().check:
        TARGET.write_text(wanted, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != wanted:
        raise SystemExit(
            "snapshot.gen.ts is not what snapshot.py says: run `npm run types` in js/."
        )


if __name__ == "__main__":
    main()
