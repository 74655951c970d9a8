import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ingest.memory import MemoryExceeded, resident_bytes, watch_memory

ROOT = Path(__file__).parents[2]
GREEDY = """
from ingest.memory import limit_process
limit_process(100_000_000)
try:
    bytearray(1_000_000_000)
except MemoryError:
    print("refused")
import resource
print(resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


def test_this_process_holds_something() -> None:
    assert 10e6 < resident_bytes() < 10e9


def test_a_process_above_its_limit_ends_itself() -> None:
    held = iter([90_000_000, 110_000_000])

    with pytest.raises(MemoryExceeded, match=r"holds 110 MB \(allowed: .* = 100\)"):
        watch_memory(threading.Event(), limit_bytes=100_000_000, held_bytes=lambda: next(held))


def test_one_that_stops_does_not() -> None:
    stop = threading.Event()
    stop.set()

    watch_memory(stop, limit_bytes=1)


def test_one_huge_allocation_fails_instead_of_taking_the_machine_along() -> None:
    run = subprocess.run(
        [sys.executable, "-c", GREEDY], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.split() == ["refused", "0"]
