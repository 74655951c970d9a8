"""What vision counts and times, for Prometheus."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from contracts.cameras import CameraState

_STAGE_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_AGE_BUCKETS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)

STAGE_SECONDS: Final = Histogram(
    "vigil_stage_duration_seconds",
    "Time spent on one frame, by part of the work.",
    ["stage"],
    buckets=_STAGE_BUCKETS,
)
FRAME_AGE_SECONDS: Final = Histogram(
    "vigil_frame_age_seconds",
    "From capture until the frame was taken, and until its news was published.",
    ["stage"],
    buckets=_AGE_BUCKETS,
)
FRAMES: Final = Counter(
    "vigil_vision_frames_total",
    "Frames settled by vision, by how they ended.",
    ["camera", "outcome"],
)
EVENTS: Final = Counter("vigil_events_total", "Incidents opened.", ["kind", "severity"])
COVERED_SECONDS: Final = Counter(
    "vigil_camera_covered_seconds_total",
    "Time that was really watched: frames came, were looked at, and the camera was not blind.",
    ["camera"],
)
VIEW_STATE: Final = Gauge(
    "vigil_camera_view_state", "What the camera sees: 0 all, 1 degraded, 2 nothing.", ["camera"]
)
RUNG: Final = Gauge(
    "vigil_camera_rung",
    "How much of a camera is looked at: 0 all, 1 half, 2 one a second, 3 motion, 4 only recorded.",
    ["camera"],
)
RUNG_STEPS: Final = Counter(
    "vigil_camera_rung_steps_total",
    "Steps to a rung, for want of time or back.",
    ["camera", "rung"],
)
STATE_NUMBERS: Final = {
    CameraState.SEEING: 0,
    CameraState.DEGRADED: 1,
    CameraState.BLIND: 2,
}
SEQUENCES: Final = Counter(
    "vigil_sequences_total", "Sequences across cameras that were told.", ["camera", "rule"]
)
SEQUENCES_DEAF: Final = Gauge(
    "vigil_sequences_deaf", "Sequences that name a camera or rule that is not there."
)
OPEN_INCIDENTS: Final = Gauge("vigil_vision_open_incidents", "Incidents now open.", ["camera"])
CAMERAS_HELD: Final = Gauge("vigil_vision_cameras_held", "Cameras that this worker tracks.")
EVIDENCE_PROBLEMS: Final = Counter(
    "vigil_vision_evidence_problems_total", "Pictures that could not be kept.", ["camera"]
)
TRACKS_STORED: Final = Counter(
    "vigil_vision_track_points_stored_total", "Points of tracks kept for back-tests.", ["camera"]
)
TRACKS_LOST: Final = Counter(
    "vigil_vision_track_points_lost_total", "Points of tracks that could not be kept.", ["camera"]
)
TRANSPORT_RETRIES: Final = Counter(
    "vigil_vision_transport_retries_total", "What had to be sent again.", ["what"]
)
ERRORS: Final = Counter(
    "vigil_vision_errors_total", "Turns of the loop and frames that failed.", ["camera"]
)
MODEL: Final = Gauge("vigil_model_info", "The detector at work; always 1.", ["model", "sha256"])
BACKEND_FALLBACKS: Final = Counter(
    "vigil_vision_backend_fallbacks_total",
    "Times that a device could not go on and something smaller took over.",
    ["backend", "to"],
)
BACKEND_BATCH: Final = Gauge(
    "vigil_vision_backend_batch",
    "Frames that the encoder looks at in one go at most; 0 once its device was given up.",
    ["backend"],
)
