"""What the reasoning stage counts."""

from typing import Final

from prometheus_client import Counter, Histogram

REASON_REQUESTS: Final = Counter(
    "vigil_reason_requests",
    "Incident revisions by what became of them: ok, error, invalid (no incident) or shed "
    "(a newer revision of the same incident was reasoned about instead).",
    ["result"],
)
CLAIMS: Final = Counter(
    "vigil_claims", "Claims of published chains by role and status.", ["type", "status"]
)
REASON_SECONDS: Final = Histogram(
    "vigil_reason_seconds",
    "Time to reason about one revision.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
