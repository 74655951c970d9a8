"""How long the program takes for one incident. Run it: ``python -m tests.moe_core.bench_program``.

Not a test: a busy machine is no fault of the program. Budget: 20 ms for 95 of 100.
"""

import sys
import time
from statistics import quantiles

from contracts.clock import SystemClock
from contracts.geometry import Point
from contracts.rules import RuleKind
from moe_core.program import ProgramReasoner
from tests.fakes.incidents import STAY, situation, together

LONG: tuple[Point, ...] = tuple(
    STAY[min(index, 10)] if index < 11 else (0.66 + 0.004 * (index % 3), 0.6)
    for index in range(900)
)
"""Three minutes at 5 frames a second."""


def reason_ms(*, runs: int = 200) -> dict[str, float]:
    """Return the 95th percentile in milliseconds, by incident."""
    reasoner = ProgramReasoner(SystemClock())
    incidents = {
        "intrusion": situation(),
        "loiter, 3 minutes": situation(kind=RuleKind.LOITER, feet=LONG, threshold=8.0),
        "three tracks": together(*(situation(track_id=f"t{index}") for index in range(3))),
    }
    found = {}
    for name, incident in incidents.items():
        times = []
        for _ in range(runs):
            started = time.perf_counter()
            reasoner.reason(incident)
            times.append((time.perf_counter() - started) * 1000)
        found[name] = quantiles(times, n=20)[-1]
    return found


if __name__ == "__main__":
    for name, p95_ms in reason_ms().items():
        sys.stdout.write(f"{name:20} p95 {p95_ms:6.1f} ms\n")
