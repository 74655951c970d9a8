"""What benches of several tables share: the machine first, then each part as it is done."""

import sys
from collections.abc import Callable, Iterable, Mapping

from tests.bench.__main__ import machine


def write_parts(parts: Mapping[str, Callable[[], Iterable[str]]], *, only: str | None) -> None:
    """Write where it was measured and the lines of each part, or of one only."""
    where = machine()
    sys.stdout.write(
        f"{where['cpu']}, {where['cores']} cores, one thread, Python {where['python']}, commit "
        f"{where['commit']}, load {where['load']:.1f}\n"
    )
    for name, lines in parts.items():
        if only in (None, name):
            sys.stdout.write(f"\n{name}\n\n")
            for line in lines():
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
