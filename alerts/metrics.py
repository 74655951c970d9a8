"""What the alerts stage counts."""

from prometheus_client import Counter, Histogram

ALERTS = Counter(
    "vigil_alerts_total",
    "Alerts, each counted once: by the first verdict about it, or 'unreasoned' at the deadline.",
    ["kind", "severity", "verdict"],
)
ALERT_LATENCY = Histogram(
    "vigil_alert_latency_seconds",
    "From the capture of the decisive frame to the alert stored and due at its receivers.",
    ["severity"],
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 3.0, 5.0, 10.0, 30.0),
)
VERDICT_LATENCY = Histogram(
    "vigil_verdict_latency_seconds",
    "From an incident's being detected to its alert stored with the first verdict about it.",
    ["severity"],
    buckets=(0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 3.0, 5.0, 10.0),
)
ALERT_REVISIONS = Counter("vigil_alert_revisions_total", "Feed entries about alerts.", ["type"])
SUPPRESSED = Counter(
    "vigil_alerts_suppressed_total",
    "Judgements that raised no alert; the history counts each incident once.",
    ["reason"],
)
FAILED_ITEMS = Counter(
    "vigil_alert_items_failed_total",
    "Queue items that could not be worked on: corrupt, failed, or evidence of no known incident.",
    ["topic", "reason"],
)
STORAGE_RETRIES = Counter(
    "vigil_alert_storage_retries_total", "Times that the database or the queue was not there."
)
DELIVERIES = Counter(
    "vigil_webhook_deliveries_total",
    "Webhook attempts by result: delivered, retry, dead.",
    ["result"],
)
DELIVERY_SECONDS = Histogram(
    "vigil_webhook_delivery_duration_seconds",
    "One webhook attempt, from resolving the name to the answer's status.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0),
)
