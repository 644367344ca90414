"""Which mutants no test noticed, after ``mutmut run``: a part of ``make mutants``.

Mutants of words are left out, for the sentences have tests of their own, and so are those that do
the same as the original; `EQUIVALENT` has their lines.
"""

from __future__ import annotations

import re
import subprocess
import sys

EQUIVALENT = {
    # nothing comes here for 0, which is UTC
    'return f"UTC{\'-\' if minutes <= 0 else \'+\'}{hours}" + (f":{rest:02}" if rest else "")',
}
"""Changed lines that no test can tell from the original."""


def main() -> int:
    """Print the survivors; 1 where there are some."""
    listed = _mutmut("results")
    names = re.findall(r"^ *(\S+): (?:survived|suspicious)", listed, re.M)
    found = 0
    for name in names:
        shown = _mutmut("show", name).splitlines()
        before, after = (
            [line[1:].strip() for line in shown if re.match(rf"\{sign}(?!\{sign})", line)]
            for sign in "-+"
        )
        if _words_only(before, after) or set(after) <= EQUIVALENT:
            continue
        found += 1
        lines = [f"    - {line}" for line in before] + [f"    + {line}" for line in after]
        print(name, *lines, sep="\n")
    print(f"{found} mutants survived, beside {len(names) - found} of words, or equivalent.")
    return 1 if found else 0


def _words_only(before: list[str], after: list[str]) -> bool:
    """True if two versions differ in nothing but the text between quotes."""
    texts = (re.sub(r"f?\"[^\"]*\"|'[^']*'", "...", " ".join(lines)) for lines in (before, after))
    first, second = texts
    return first == second


def _mutmut(*words: str) -> str:
    command = [sys.executable, "-m", "mutmut", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
