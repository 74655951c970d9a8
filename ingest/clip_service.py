"""Answers clip requests: each gets its clip and a still, or the reason why there is none."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from contracts.clock import Clock
from contracts.codec import CodecError, decode, encode
from contracts.errors import EvidenceMissing, StorageFull, TransportUnavailable
from contracts.evidence import EvidenceStore
from contracts.geometry import Zone
from contracts.ids import derived_id
from contracts.incidents import ClipRequest, EvidenceItem, EvidenceKind, EvidenceReady
from contracts.queues import CLIPS as CLIPS_TOPIC
from contracts.queues import EVIDENCE, WorkItem, WorkQueue
from ingest.clip_ring import ClipRing, Footage
from ingest.clips import make_clip
from ingest.metrics import CLIPS, LOOP_ERRORS
from ingest.pacing import pause
from ingest.stills import make_still

log = structlog.get_logger()

_GROUP: Final = "ingest"
_PASS_ON_AFTER_S: Final = 1.0
"""Between two ingestors that both do not hold the camera, a request goes to and fro this slowly."""
_NOBODY_AFTER_S: Final = 60.0
"""After its end; by then the ring of whoever held the camera has gone on, too."""
_LATE_S: Final = 10.0
"""A stream that has not reached the clip's end this long after it will not: it stalled."""
_NEAR: Final = timedelta(seconds=2)
"""A key frame of the main stream that far from the moment shows another."""
_PENDING_MAX: Final = 64
_WAIT_S: Final = 0.3
_RETRY_S: Final = 1.0


@dataclass(slots=True, eq=False)
class _Pending:
    """A request in our hands.

    Attributes:
        since_s: Monotonic time when it was received.
        answers: What was found, once it is; published before the request is acknowledged.
    """

    item: WorkItem
    request: ClipRequest
    since_s: float
    answers: tuple[EvidenceItem, ...] = ()
    is_published: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A piece of evidence and its content, not yet kept; without content it says its problem."""

    item: EvidenceItem
    content: bytes = b""
    suffix: str = ""


class ClipService:
    """Serves the requests for cameras that this process holds; passes the others on.

    A request stays unacknowledged, in memory, until its answer is published: if this process dies
    it is handed to another. A request for a camera that is not held here is published again for
    another ingestor and then acknowledged; what nobody could serve within 60 s of its end is
    answered with a problem, so that the alert can say so.

    Args:
        ring_of: Returns the clip ring of a camera held here, or None.
        work_queue: Where requests come from and answers go.
        evidence_store: Keeps the clips.
        clock: For ages.
    """

    def __init__(
        self,
        ring_of: Callable[[str], ClipRing | None],
        *,
        work_queue: WorkQueue,
        evidence_store: EvidenceStore,
        clock: Clock,
    ) -> None:
        self._ring_of = ring_of
        self._work_queue = work_queue
        self._evidence_store = evidence_store
        self._clock = clock
        self._pending: dict[str, _Pending] = {}

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set. What is pending then goes to another ingestor."""
        is_away = False
        while not stop.is_set():
            try:
                self.step()
                is_away = False
                pause(_WAIT_S, clock=self._clock, stop=stop)
            except TransportUnavailable as error:
                if not is_away:
                    log.warning("clip requests have to wait", reason=str(error))
                is_away = True
                pause(_RETRY_S, clock=self._clock, stop=stop)
            except Exception:
                LOOP_ERRORS.labels("clips").inc()
                log.exception("clip service failed unexpectedly")
                pause(_RETRY_S, clock=self._clock, stop=stop)

    def step(self) -> None:
        """Take new requests in and answer those whose time has come.

        Raises:
            TransportUnavailable: What is not done is kept; call again later.
        """
        self._receive()
        for pending in list(self._pending.values()):
            if not pending.answers:
                pending.answers = self._answer(pending)
            if pending.answers:
                self._deliver(pending)
            elif self._is_for_others(pending):
                self._pass_on(pending)

    def _receive(self) -> None:
        room = _PENDING_MAX - len(self._pending)
        if room <= 0:
            return
        items = self._work_queue.receive(
            [CLIPS_TOPIC], group=_GROUP, max_items=room, timeout_s=_WAIT_S
        )
        for item in items:
            try:
                request = decode(item.payload, ClipRequest)
            except CodecError as error:
                log.error(  # noqa: TRY400  # the reason says all that a trace would
                    "clip request cannot be read", item_id=item.item_id, reason=str(error)
                )
                self._work_queue.acknowledge(item)
                continue
            self._pending.setdefault(
                item.entry_id,
                _Pending(item=item, request=request, since_s=self._clock.monotonic_s()),
            )

    def _answer(self, pending: _Pending) -> tuple[EvidenceItem, ...]:
        """Return clip (and still) or problem; nothing while it is too early or others may know."""
        request = pending.request
        ring = self._ring_of(request.camera_id)
        now = self._clock.now()
        if ring is None:
            if now < request.ends_at + timedelta(seconds=_NOBODY_AFTER_S):
                return ()
            return (_problem(f"no ingestor held camera {request.camera_id} to make a clip"),)
        is_late = now >= request.ends_at + timedelta(seconds=_LATE_S)
        if not is_late and not ring.reaches(request.run_id, request.ends_at):
            return ()
        return self._make(request, ring)

    def _make(self, request: ClipRequest, ring: ClipRing) -> tuple[EvidenceItem, ...]:
        """Return the clip, last: what comes with it is there when the alert tells of it."""
        try:
            footage = ring.cover(request.run_id, request.starts_at, request.ends_at)
        except EvidenceMissing as error:
            return (_problem(str(error)),)
        moment = self._moment(request, ring, footage)
        while True:
            still, clip = self._make_still(request, moment, footage), self._make_clip(footage)
            in_force = ring.masks
            if in_force.issubset(footage.masks) and in_force.issubset(moment.masks):
                break
            footage, moment = _covered(footage, in_force), _covered(moment, in_force)
        made = (clip,) if still is None else (still, clip)
        return tuple(self._keep(one) for one in made)

    def _make_clip(self, footage: Footage) -> _Made:
        try:
            content = make_clip(footage)
        except EvidenceMissing as error:
            return _Made(_problem(str(error)))
        return _Made(
            EvidenceItem(
                kind=EvidenceKind.CLIP,
                stream=footage.stream,
                captured_at=footage.starts_at,
                problem=footage.template.audio_problem,
            ),
            content,
            "mp4",
        )

    @staticmethod
    def _moment(request: ClipRequest, ring: ClipRing, footage: Footage) -> Footage:
        """Return what the still is best made of.

        A main stream that broke off later may have the moment, at its full size, though the clip
        is of the sub-stream.
        """
        if request.still_at is None or footage.stream != "sub":
            return footage
        try:
            return ring.cover(request.run_id, request.still_at, request.still_at)
        except EvidenceMissing:
            return footage

    @staticmethod
    def _make_still(request: ClipRequest, moment: Footage, footage: Footage) -> _Made | None:
        """Make it of the moment, unless its key frames lie far away and there is other footage."""
        if request.still_at is None:
            return None
        problem = ""
        for source in (moment, footage):
            try:
                content, captured_at = make_still(source, request.still_at)
            except EvidenceMissing as error:
                problem = str(error)
                continue
            if source is footage or abs(captured_at - request.still_at) <= _NEAR:
                item = EvidenceItem(
                    kind=EvidenceKind.STILL, stream=source.stream, captured_at=captured_at
                )
                return _Made(item, content, "jpg")
        return _Made(EvidenceItem(kind=EvidenceKind.STILL, problem=problem))

    def _keep(self, made: _Made) -> EvidenceItem:
        if not made.content:
            return made.item
        try:
            ref = self._evidence_store.put(made.content, suffix=made.suffix)
        except StorageFull as error:
            return replace(made.item, captured_at=None, problem=str(error))
        return replace(made.item, ref=ref)

    def _deliver(self, pending: _Pending) -> None:
        if not pending.is_published:
            for answer in pending.answers:
                self._publish(pending, answer)
            pending.is_published = True
        self._work_queue.acknowledge(pending.item)
        del self._pending[pending.item.entry_id]

    def _publish(self, pending: _Pending, answer: EvidenceItem) -> None:
        request = pending.request
        ready = EvidenceReady(
            incident_id=request.incident_id, camera_id=request.camera_id, item=answer
        )
        is_clip = answer.kind is EvidenceKind.CLIP
        kind = () if is_clip else (answer.kind.value,)
        item_id = derived_id("er", request.incident_id, pending.item.item_id, *kind)
        self._work_queue.publish(EVIDENCE, item_id=item_id, payload=encode(ready))
        if is_clip:
            CLIPS.labels("kept" if answer.ref else "impossible").inc()
        log.info(
            "clip request answered",
            camera_id=request.camera_id,
            incident_id=request.incident_id,
            kind=answer.kind.value,
            ref=answer.ref,
            stream=answer.stream,
            problem=answer.problem,
        )

    def _is_for_others(self, pending: _Pending) -> bool:
        waited_s = self._clock.monotonic_s() - pending.since_s
        return waited_s >= _PASS_ON_AFTER_S and self._ring_of(pending.request.camera_id) is None

    def _pass_on(self, pending: _Pending) -> None:
        item = pending.item
        self._work_queue.publish(CLIPS_TOPIC, item_id=item.item_id, payload=item.payload)
        self._work_queue.acknowledge(item)
        del self._pending[item.entry_id]
        CLIPS.labels("passed_on").inc()


def _covered(footage: Footage, masks: frozenset[Zone]) -> Footage:
    drawn_meanwhile = masks.difference(footage.masks)
    return replace(footage, masks=(*footage.masks, *drawn_meanwhile))


def _problem(text: str) -> EvidenceItem:
    return EvidenceItem(kind=EvidenceKind.CLIP, problem=text)
