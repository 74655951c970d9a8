"""One camera's way from frames to incidents: decode, gate, detect, track, rules, book, report."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Final

import structlog

from contracts.cameras import Camera
from contracts.clock import Clock
from contracts.codec import CodecError
from contracts.detections import Detections, Detector
from contracts.evidence import EvidenceStore
from contracts.frames import EncodedFrame, Frame, FrameHeader, FrameOutcome
from contracts.incidents import Incident, IncidentState
from contracts.settings import VisionSettings
from vision.checkpoint import Checkpoint, Outgoing, decode_checkpoint, encode_checkpoint
from vision.cues.port import Glimpse
from vision.cues.readers import CueReaders
from vision.facts import PictureMotion
from vision.frame_result import BegunFrame, FrameResult, ReadFrame
from vision.incidents import IncidentBook, Revision
from vision.keyframes import KeyFrames
from vision.ladder import Rung
from vision.live import LiveScene, live_scene
from vision.metrics import EVENTS, STAGE_SECONDS
from vision.motion_gate import Motion, MotionGate, gate_frame
from vision.observation import Observation
from vision.outlook import Outlook
from vision.picture import Picture
from vision.proof import proven
from vision.reports import IncidentReporter, Report, Sight
from vision.rules.defaults import with_defaults
from vision.tracker import Tracker
from vision.watch import Watch, Watched

log = structlog.get_logger()

MOTION_FRAMES: Final = 300
"""Readings of the motion gate that are remembered: a minute at 5 frames a second."""
ENDED_RUNS: Final = 8
"""Ids of ended runs that are remembered, to know their late frames by."""
CHECKPOINT_EVERY_S: Final = 2.0
"""Where the people of open incidents are is saved this often; what is new, at once."""


class CameraPipeline:
    """Everything that vision keeps for one camera; the detector is shared between cameras.

    Not safe for use by two threads. Frames come in order; those of a run that a newer one has
    replaced, and repeats, are recognised and not read again.

    Args:
        camera: As configured now; see ``reconfigure``.
        detector: Finds the objects.
        settings: Of vision.
        evidence: Where pictures are kept.
        clock: For ``detected_at`` and timings; never for dwell.
        time_zone: For the hour of day in facts, and the hours of rules; None leaves both out.

    Raises:
        ConfigError: A rule's params are wrong; the message names them.
    """

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        *,
        settings: VisionSettings,
        evidence: EvidenceStore,
        clock: Clock,
        time_zone: tzinfo | None = UTC,
    ) -> None:
        self._camera = camera
        self._detector = detector
        self._settings = settings
        self._clock = clock
        self._book = IncidentBook(settings.close_after_s)
        self._reporter = IncidentReporter(
            detector.identity,
            settings=settings,
            evidence=evidence,
            clock=clock,
            time_zone=time_zone,
        )
        self._scene = with_defaults(camera.scene)
        self._watch = Watch(self._scene, time_zone=time_zone)
        self._last: FrameHeader | None = None
        self._run_id = ""
        self._ended_runs: deque[str] = deque(maxlen=ENDED_RUNS)
        self._tracker = Tracker(confidence=settings.confidence)
        self._gate = MotionGate()
        self._cues = CueReaders()
        self._key_frames = KeyFrames()
        self._motions: deque[PictureMotion] = deque(maxlen=MOTION_FRAMES)
        self._outlook = Outlook(camera.camera_id)
        self._seen_at_s = clock.monotonic_s()
        self._rung = Rung.EVERYTHING
        self._reports: list[Report] = []
        self._saved: tuple[object, ...] = ()
        self._saved_s = 0.0

    @property
    def camera(self) -> Camera:
        """The configuration at work."""
        return self._camera

    @property
    def open_incidents(self) -> int:
        """How many incidents are open."""
        return len(self._book.open_incidents)

    def restore(self, content: bytes | None) -> tuple[Outgoing, ...]:
        """Go on from a checkpoint; call it before the first frame. Unreadable ones are logged.

        Returns:
            What the one before may not have published any more; publish it first.
        """
        if content is None:
            return ()
        try:
            checkpoint = decode_checkpoint(content)
        except CodecError as error:
            log.warning(
                "checkpoint not readable, starting anew",
                camera_id=self._camera.camera_id,
                cause=str(error),
            )
            return ()
        self._run_id = checkpoint.run_id
        self._tracker = self._new_tracker(checkpoint.next_track_number)
        self._book.restore(checkpoint.incidents)
        return checkpoint.unsent

    def checkpoint(self, *, unsent: Sequence[Outgoing] = ()) -> bytes:
        """Return what another pipeline needs to go on from here.

        Args:
            unsent: What is to be published right after the checkpoint is saved.
        """
        return encode_checkpoint(
            Checkpoint(
                run_id=self._run_id,
                next_track_number=self._tracker.next_number,
                incidents=self._book.open_incidents,
                unsent=tuple(unsent),
            )
        )

    def due_checkpoint(self) -> bytes | None:
        """Return a checkpoint if something has happened that must survive, else None."""
        now_s = 0.0 if self._last is None else self._last.monotonic_s
        state = (
            self._run_id,
            self._tracker.next_number,
            tuple((one.incident_id, one.revision) for one in self._book.open_incidents),
        )
        is_ageing = self.open_incidents > 0 and now_s - self._saved_s >= CHECKPOINT_EVERY_S
        if state == self._saved and not is_ageing:
            return None
        self._saved, self._saved_s = state, now_s
        return self.checkpoint()

    def reconfigure(self, camera: Camera) -> None:
        """Take up a changed configuration. Open incidents stay; unchanged rules go on.

        Raises:
            ConfigError: A rule's params are wrong; everything stays as it was.
        """
        now_s = float("-inf") if self._last is None else self._last.monotonic_s
        scene = with_defaults(camera.scene)
        self._watch.reconfigure(scene, now_s=now_s)
        self._camera, self._scene = camera, scene

    def process(self, frame: EncodedFrame) -> FrameResult:
        """Read one frame.

        Raises:
            VigilError: From the detector; the frame is then not read, what came before stays.
        """
        begun = self.begin(frame)
        if isinstance(begun, FrameResult):
            return begun
        began_s = self._clock.monotonic_s()
        [detections] = self._detector.detect([begun.picture])
        return self.complete(begun, detections, detect_s=self._clock.monotonic_s() - began_s)

    def begin(self, frame: EncodedFrame, rung: Rung = Rung.EVERYTHING) -> BegunFrame | FrameResult:
        """Read a frame as far as it can be read without the detector.

        Args:
            frame: The camera's next.
            rung: What there is time for.

        Returns:
            The result if nobody has to look: nothing moves and nobody is followed, there is no time
            for it, or the frame cannot or need not be read. Else the frame for ``complete``, before
            the camera's next frame; without it the frame is not read, what came before stays.
        """
        header = frame.header
        early = self._outcome_without_reading(header)
        if early is not None:
            return FrameResult(outcome=early)
        timings: dict[str, float] = {}
        shown = Picture.of(frame)
        if shown is None:
            return self._result(FrameOutcome.OVERTAKEN, timings)
        if header.run_id != self._run_id:
            self._begin_run(header)
        self._last, self._rung = header, rung
        if rung is Rung.RECORD:
            live = LiveScene(picture=shown, boxes=(), view=self._outlook.view)
            return FrameResult(outcome=FrameOutcome.SHED, live=live)
        self._seen_at_s = self._clock.monotonic_s()
        self._report(self._book.close_stale(header.captured_at), at=header.captured_at)
        with self._timed("motion", timings):
            small = gate_frame(shown)
            motion = None if small is None else self._motion_in(small)
        if small is None or motion is None:
            return self._result(FrameOutcome.DECODE_ERROR, timings)
        is_quiet = not motion.is_moving and self._tracker.is_idle
        if is_quiet or not rung.has_detector:
            read = ReadFrame(shown=shown, small=small, motion=motion, timings=timings)
            result = self._follow(read, None, Detections.none(self._detector.labels))
            return result if is_quiet else replace(result, outcome=FrameOutcome.SHED)
        with self._timed("decode", timings):
            picture = shown.whole()
        if picture is None:
            return self._result(FrameOutcome.DECODE_ERROR, timings)
        return BegunFrame(shown=shown, small=small, motion=motion, picture=picture, timings=timings)

    def complete(
        self, begun: BegunFrame, detections: Detections, *, detect_s: float
    ) -> FrameResult:
        """Go on with a frame that was begun.

        Args:
            begun: The camera's newest frame.
            detections: What the detector found in its picture.
            detect_s: Seconds that this took; of a batch, the frame's share.
        """
        begun.timings["detect"] = detect_s
        STAGE_SECONDS.labels(stage="detect").observe(detect_s)
        is_proven_N = proven(detections, begun.motion.changed_hw)
        proven_ones = replace(detections, is_proven_N=is_proven_N)
        return self._follow(begun, begun.picture, proven_ones)

    def _follow(
        self, read: ReadFrame, picture: Frame | None, detections: Detections
    ) -> FrameResult:
        """Track what was found, read the cues, ask the rules and report."""
        header, timings = read.header, read.timings
        with self._timed("track", timings):
            tracks = self._tracker.update(detections, header)
        with self._timed("cue", timings):
            glimpse = Glimpse(
                small=read.small,
                picture=picture,
                motion=read.motion,
                detections=None if picture is None else detections,
                tracks=tracks,
            )
            cues = self._cues.look(glimpse)
        seen = Observation(header=header, tracks=tracks, cues=cues)
        with self._timed("rule", timings):
            self._key_frames.look(read.shown, tracks=seen.subjects())
            watched = self._watch.look(seen)
            self._key_frames.keep(watched, view=cues.view.region)
        with self._timed("report", timings):
            self._read(watched, seen)
        outcome = FrameOutcome.GATED if picture is None else FrameOutcome.ANALYSED
        return replace(
            self._result(outcome, timings),
            tracks=tracks,
            live=live_scene(
                read.shown,
                seen.subjects(),
                alerting=self._alerting(),
                view=self._outlook.look(cues.view, header, is_looking=self._rung.has_detector),
            ),
        )

    def close_idle(self) -> tuple[Incident, ...]:
        """Close what is open if no frame has come for longer than incidents stay open.

        By the clock's durations: a camera that went blind sends no stream time to wait by.
        """
        silence_s = self._clock.monotonic_s() - self._seen_at_s
        if silence_s <= self._settings.close_after_s or not self._book.open_incidents:
            return ()
        return self.finish()

    def finish(self) -> tuple[Incident, ...]:
        """Close everything that is open: the recording or the camera is at its end."""
        at = self._clock.now() if self._last is None else self._last.captured_at
        self._report(self._book.close_all(), at=at)
        return self._result(FrameOutcome.ANALYSED, {}).incidents

    def _outcome_without_reading(self, header: FrameHeader) -> FrameOutcome | None:
        if header.run_id in self._ended_runs:
            return FrameOutcome.FROM_ENDED_RUN
        last = self._last
        if last is not None and last.run_id == header.run_id and header.seq <= last.seq:
            # It was read before; only its settling failed.
            return FrameOutcome.ANALYSED
        return None

    def _begin_run(self, header: FrameHeader) -> None:
        if self._run_id:
            self._ended_runs.append(self._run_id)
            self._detector.forget(self._camera.camera_id)
            self._book.begin_run(header.captured_at)
        self._run_id = header.run_id
        self._tracker = self._new_tracker(self._tracker.next_number)
        self._watch.begin_run()
        self._gate = MotionGate()
        self._cues = CueReaders()
        self._key_frames = KeyFrames()
        self._motions.clear()
        self._saved_s = header.monotonic_s

    def _new_tracker(self, first_number: int) -> Tracker:
        return Tracker(confidence=self._settings.confidence, first_number=first_number)

    def _motion_in(self, small: Frame) -> Motion:
        is_followed = small.header.is_patched or not self._tracker.is_idle
        motion = self._gate.look(small, is_followed=is_followed)
        now_s = small.header.monotonic_s
        self._motions.append(
            PictureMotion(at_s=now_s, share=motion.share, light_change=motion.light_change)
        )
        return motion

    def _read(self, watched: Watched, seen: Observation) -> None:
        """Let the book read the frame; measure what fired in it and report what is due."""
        turn = self._book.read(
            watched.events, tracks=seen.subjects(), present=watched.present, header=seen.header
        )
        for joined in turn.joined:
            sight = Sight(
                header=seen.header,
                tracks=seen.tracks,
                regions=tuple(seen.cues.regions()),
                motions=tuple(self._motions),
                key_frames=self._key_frames,
            )
            incident = self._book.incident(joined.incident_id)
            self._book.keep(
                self._reporter.measure(incident, joined, sight=sight, scene=self._scene)
            )
        self._report(turn.revisions, at=seen.header.captured_at)

    def _report(self, revisions: Sequence[Revision], *, at: datetime) -> None:
        """Make the reports that are due; they wait in ``_reports`` for a frame that succeeds."""
        for due in revisions:
            incident = self._book.incident(due.incident_id)
            report = self._reporter.report(
                incident, due.state, camera=self._camera, key_frames=self._key_frames, at=at
            )
            self._reports.append(report)
            if due.state is IncidentState.CLOSED:
                self._book.remove(due.incident_id)
            else:
                self._book.keep(report.remembered)
            if due.state is IncidentState.OPENED:
                EVENTS.labels(kind=incident.kind.value, severity=incident.severity.value).inc()
            log.info(
                "incident revised",
                camera_id=self._camera.camera_id,
                incident_id=incident.incident_id,
                state=due.state.value,
                kind=incident.kind.value,
                revision=report.remembered.revision,
            )

    def _alerting(self) -> frozenset[str]:
        return frozenset(name for one in self._book.open_incidents for name in one.tracks)

    @contextmanager
    def _timed(self, stage: str, timings: dict[str, float]) -> Iterator[None]:
        began_s = self._clock.monotonic_s()
        yield
        timings[stage] = self._clock.monotonic_s() - began_s
        STAGE_SECONDS.labels(stage=stage).observe(timings[stage])

    def _result(self, outcome: FrameOutcome, timings: Mapping[str, float]) -> FrameResult:
        reports, self._reports = self._reports, []
        return FrameResult(
            outcome=outcome,
            incidents=tuple(report.incident for report in reports),
            clip_requests=tuple(
                report.clip_request for report in reports if report.clip_request is not None
            ),
            timings=timings,
        )
