"""What Prometheus is told about cameras and frames."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

STREAM_UP: Final = Gauge("vigil_stream_up", "1 while frames arrive from the camera.", ["camera"])
BLIND_SECONDS: Final = Counter(
    "vigil_camera_blind_seconds_total",
    "Time in which the camera's ingestor had no picture, by phase.",
    ["camera", "cause"],
)
PHASE: Final = Gauge(
    "vigil_camera_phase", "1 for the phase that the camera's connection is in.", ["camera", "phase"]
)
PHASE_CHANGES: Final = Counter(
    "vigil_camera_phase_changes_total", "Steps into a phase.", ["camera", "phase"]
)
FRAMES: Final = Counter(
    "vigil_ingest_frames_total", "Frames handed to the frame queue.", ["camera"]
)
FRAMES_DROPPED: Final = Counter(
    "vigil_ingest_frames_dropped_total",
    "Frames that ingest lost, by reason: queue_full, queue_unavailable, corrupt, late.",
    ["camera", "reason"],
)
FRAMES_SKIPPED: Final = Counter(
    "vigil_ingest_frames_skipped_total", "Pictures left out by sampling.", ["camera"]
)
UNDECODED: Final = Counter(
    "vigil_ingest_undecoded_total",
    "Pictures not decoded, but kept for clips, while there is time for key pictures alone.",
    ["camera"],
)
RECONNECTS: Final = Counter(
    "vigil_ingest_reconnects_total", "Attempts after the first to reach the camera.", ["camera"]
)
CARRIER_CHANGES: Final = Counter(
    "vigil_camera_carrier_changes_total",
    "Changes of what carries RTP that were not set by anybody, by the carrier gone over to.",
    ["camera", "carrier"],
)
TIME_BREAKS: Final = Counter(
    "vigil_ingest_time_breaks_total",
    "Runs ended because of their times, by kind: jump, rate, clock_set.",
    ["camera", "kind"],
)
OWN_EVENTS: Final = Counter(
    "vigil_camera_own_events_total",
    "Changes that an ONVIF camera told by itself, by kind; none of them makes an alert.",
    ["camera", "kind"],
)
LOOP_ERRORS: Final = Counter(
    "vigil_ingest_loop_errors_total",
    "Unexpected errors that a loop of ingest survived; each is logged.",
    ["loop"],
)
STAGE_SECONDS: Final = Histogram(
    "vigil_ingest_stage_seconds",
    "Time per frame: scale (and convert), encode (JPEG), queue.",
    ["stage"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0),
)
DECODE_DEVICE: Final = Gauge(
    "vigil_ingest_decode_device", "1 if the device wanted decodes, 0 if the CPU does.", ["device"]
)
CLIPS: Final = Counter(
    "vigil_clips_total", "Clip requests answered: kept, impossible, passed_on.", ["result"]
)
CLIP_RING_BYTES: Final = Gauge(
    "vigil_clip_ring_bytes", "Encoded video kept in memory for clips.", ["camera"]
)
RECORDED_BYTES: Final = Counter(
    "vigil_recorded_bytes_total", "Written to recordings, in finished parts.", ["camera"]
)
RECORDED_PARTS: Final = Counter(
    "vigil_recorded_parts_total", "Parts of recordings finished.", ["camera"]
)
RECORDING: Final = Gauge(
    "vigil_recording",
    "1 while the camera is recorded, 0 while that does not work.",
    ["camera"],
)
RECORDING_BYTES: Final = Gauge("vigil_recording_bytes", "Recordings kept.", ["camera"])
RECORDING_LOST: Final = Counter(
    "vigil_recording_lost_total",
    "Stretches from key frame to key frame that are not in the recording, by reason: stopped "
    "(disk, codec), behind (not written in time).",
    ["camera", "reason"],
)
RECORDINGS_REMOVED: Final = Counter(
    "vigil_recordings_removed_total",
    "Parts of recordings removed, by reason: age, size.",
    ["reason"],
)
