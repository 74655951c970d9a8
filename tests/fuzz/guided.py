"""One fuzz target guided by coverage: ``python -m tests.fuzz.guided NAME CORPUS [libFuzzer's]``.

A process of its own for each: libFuzzer ends its process with the first fault.
"""

import importlib
import sys
from typing import Any

atheris: Any = importlib.import_module("atheris")  # not on every platform

with atheris.instrument_imports(include=["alerts", "api", "contracts", "ingest", "aiortc.sdp"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough, or a fault is found."""
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name][0])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
