"""What the web server counts about itself."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("vigil_api_requests_total", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "vigil_api_request_duration_seconds",
    "From the request to the end of its answer; live streams are left out.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
STREAM_CLIENTS = Gauge("vigil_api_stream_clients", "Clients of the live stream now.")
STREAM_EVENTS = Counter("vigil_api_stream_events_total", "Events sent to live-stream clients.")
SIGN_INS = Counter("vigil_api_sign_ins_total", "Attempts to sign in.", ["how", "result"])
LOOP_ERRORS = Counter(
    "vigil_api_loop_errors_total", "Turns of a background loop that failed.", ["loop"]
)
