"""Logging set-up, heartbeats of a stage process, and all stages' metrics in one answer."""

import dataclasses
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from api.ports import StageHealth
from api.transport.heartbeats import RedisHeartbeats
from contracts.cameras import CameraState, CameraStatus
from contracts.clock import Clock
from contracts.errors import TransportUnavailable
from ingest.frame_account import FrameAccount

BEAT_EVERY_S: Final = 2.0

log = structlog.get_logger()


def set_up_logging(*, level: str, form: str, stage: str = "") -> None:
    """Send log lines to standard error, as text for people or one JSON object a line."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    if stage:
        structlog.contextvars.bind_contextvars(stage=stage)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(asctime)s [%(levelname)s] %(name)s: %(message)s",
    )


class Heartbeat:
    """Reports a stage process and its metrics until told to stop.

    Args:
        heartbeats: Where to.
        process: Who this is; the time of the report is filled in.
        registry: Its metrics.
        clock: Of the report's time.
    """

    def __init__(
        self,
        heartbeats: RedisHeartbeats,
        *,
        process: StageHealth,
        registry: CollectorRegistry,
        clock: Clock,
    ) -> None:
        self._heartbeats = heartbeats
        self._process = process
        self._registry = registry
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Report at once and then every ``BEAT_EVERY_S``; a Redis that is away is waited for."""
        while True:
            try:
                self._heartbeats.beat(
                    dataclasses.replace(self._process, reported_at=self._clock.now()),
                    generate_latest(self._registry).decode(),
                )
            except TransportUnavailable as error:
                log.debug("heartbeat not sent", cause=str(error))
            if stop.wait(BEAT_EVERY_S):
                return


class _StageMetrics(Collector):
    """The metrics that stage processes reported, with the label ``instance``."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        merged: dict[str, Metric] = {}
        for instance, text in self._texts.items():
            for family in text_string_to_metric_families(text):
                if not family.name.startswith("vigil_"):
                    continue
                known = merged.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    labels = {**sample.labels, "instance": instance}
                    known.add_sample(sample.name, labels, sample.value)
        return merged.values()


class _CameraMetrics(Collector):
    """What the queue and the ingestors know of each camera."""

    def __init__(self, cameras: Sequence[tuple[str, FrameAccount, CameraStatus | None]]) -> None:
        self._cameras = cameras

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("vigil_stream_up", "1 while the camera sees", labels=["camera"])
        received = CounterMetricFamily(
            "vigil_ingest_frames", "Frames sampled and queued", labels=["camera"]
        )
        dropped = CounterMetricFamily(
            "vigil_ingest_frames_dropped", "Frames lost, by reason", labels=["camera", "reason"]
        )
        analysed = CounterMetricFamily(
            "vigil_frames_settled", "Frames by how they ended", labels=["camera", "outcome"]
        )
        depth = GaugeMetricFamily("vigil_queue_depth", "Frames waiting", labels=["queue"])
        balanced = GaugeMetricFamily(
            "vigil_frame_account_balanced",
            "1 while every frame is accounted for",
            labels=["camera"],
        )
        for camera_id, account, status in self._cameras:
            sees = status is not None and status.state is CameraState.SEEING
            up.add_metric([camera_id], float(sees))
            received.add_metric([camera_id], account.received)
            for outcome, count in account.outcomes.items():
                analysed.add_metric([camera_id, outcome], count)
                if outcome not in ("analysed", "gated"):
                    dropped.add_metric([camera_id, outcome], count)
            dropped.add_metric([camera_id, "corrupt"], account.corrupt)
            depth.add_metric([f"frames:{camera_id}"], account.queued)
            balanced.add_metric([camera_id], float(account.is_balanced))
        return [up, received, dropped, analysed, depth, balanced]


def metrics_text(
    *,
    stage_texts: Mapping[str, str],
    cameras: Sequence[tuple[str, FrameAccount, CameraStatus | None]],
) -> str:
    """Return all metrics of the system in Prometheus text form.

    Args:
        stage_texts: What each stage process reported, by instance.
        cameras: Camera id, frame account and status of each camera.
    """
    registry = CollectorRegistry()
    registry.register(_StageMetrics(stage_texts))
    registry.register(_CameraMetrics(cameras))
    return generate_latest(registry).decode()


def start_thread(
    name: str, work: Callable[[threading.Event], None], stop: threading.Event
) -> threading.Thread:
    """Run ``work(stop)`` on a thread; if it ends before ``stop`` is set, the process is stopped."""

    def guarded() -> None:
        try:
            work(stop)
        except Exception:  # the boundary of a thread: log, then let the supervisor restart us
            log.exception("a part of the stage failed", part=name)
        finally:
            stop.set()

    thread = threading.Thread(target=guarded, name=name)
    thread.start()
    return thread
