"""What Prometheus is told about publishers and viewers."""

from typing import Final

from prometheus_client import Counter, Gauge

LIVE_SESSIONS: Final = Gauge(
    "vigil_webrtc_sessions", "WebRTC sessions now: publisher, viewer.", ["role"]
)
SIGNALS: Final = Counter(
    "vigil_webrtc_requests_total",
    "WHIP and WHEP requests: publish, watch, trickle, end; result `done` or why not.",
    ["kind", "result"],
)
