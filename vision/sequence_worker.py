"""The loop that listens to all cameras' incidents for sequences across them.

One of the vision stage's processes does it at a time, by lease. Order for each incident: read,
publish what it completes, remember, acknowledge. Whoever is killed in between leaves the incident
to its successor, which makes the same of it, under the same ids.
"""

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import Final

import structlog

from contracts.cameras import CameraDirectory, Leases
from contracts.clock import Clock
from contracts.codec import CodecError, decode, encode
from contracts.errors import ConfigError, TransportUnavailable
from contracts.incidents import ClipRequest, Incident
from contracts.queues import CLIPS, INCIDENTS, WorkItem, WorkQueue
from contracts.settings import QueueSettings, VisionSettings
from vision.checkpoint import Checkpoints
from vision.failure_log import FailureLog
from vision.metrics import EVENTS, SEQUENCES, SEQUENCES_DEAF, TRANSPORT_RETRIES
from vision.site_sequences import VERSION, SiteMemory, SiteSequences

log = structlog.get_logger()

GROUP: Final = "sequences"
MEMORY: Final = "site/sequences"
"""Name of the checkpoint; no camera can have it."""
_LEASE: Final = "vision/sequences"
_BATCH: Final = 32
_WAIT_S: Final = 0.25
_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencePorts:
    """Everything by which the loop reaches others; the work queue is one of its own."""

    directory: CameraDirectory
    leases: Leases
    work_queue: WorkQueue
    checkpoints: Checkpoints


class SequenceWorker:
    """Publishes an incident for each sequence across cameras that happens.

    Args:
        ports: The way to the other stages.
        vision: For pre-roll and post-roll.
        queue: For the lease's life.
        clock: Wall clock for ``detected_at``, monotonic for the lease.
        time_zone: Of the site, for the hours of rules.
    """

    def __init__(
        self,
        ports: SequencePorts,
        *,
        vision: VisionSettings,
        queue: QueueSettings,
        clock: Clock,
        time_zone: tzinfo = UTC,
    ) -> None:
        self._ports = ports
        self._vision = vision
        self._queue = queue
        self._clock = clock
        self._time_zone = time_zone
        self._failures = FailureLog(clock)
        self._site: SiteSequences | None = None
        self._token: int | None = None
        self._renewed_s = float("-inf")
        self._deaf: dict[str, str] = {}
        self._at_hand: deque[WorkItem] = deque()

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; what is at hand then comes again to whoever goes on."""
        while not stop.is_set():
            try:
                self.turn()
            except TransportUnavailable as error:
                TRANSPORT_RETRIES.labels(what="sequences").inc()
                log.warning("sequences wait for the transport", cause=str(error))
                # What it had read but not told is read again, from what was remembered.
                self._site = None
                self._renewed_s = float("-inf")
                self._clock.sleep(_RETRY_S)
            except Exception as error:  # noqa: BLE001  # loop boundary: logged and counted
                self._failures.note("", error)
                self._clock.sleep(_RETRY_S)
        if self._token is not None:
            self._ports.leases.release(_LEASE)

    def turn(self) -> None:
        """Take what there is, if the lease is held, and work it off.

        Raises:
            TransportUnavailable: Something could not be reached; nothing is lost.
        """
        self._renew_if_due()
        if self._site is None:
            self._clock.sleep(_WAIT_S)
            return
        if not self._at_hand:
            self._at_hand.extend(
                self._ports.work_queue.receive(
                    (INCIDENTS,), group=GROUP, max_items=_BATCH, timeout_s=_WAIT_S
                )
            )
        while self._at_hand:
            try:
                self._work_on(self._at_hand[0], self._site)
            except TransportUnavailable:
                raise
            except Exception as error:  # noqa: BLE001  # it costs only itself
                self._failures.note("", error)
            self._at_hand.popleft()

    def _work_on(self, item: WorkItem, site: SiteSequences) -> None:
        """Read one incident and tell what it completes; one that cannot be read is left."""
        try:
            incident = decode(item.payload, Incident)
        except CodecError as error:
            log.error("corrupt item left unacknowledged", item_id=item.item_id, cause=str(error))  # noqa: TRY400  # its own words say more than a traceback
            return
        before = site.memory()
        made = site.read(incident)
        for one in made:
            self._ports.work_queue.publish(
                INCIDENTS, item_id=f"{one.incident_id}:{one.revision}", payload=encode(one)
            )
            self._ports.work_queue.publish(
                CLIPS, item_id=one.incident_id, payload=encode(self._clip_request(one))
            )
            SEQUENCES.labels(camera=one.camera_id, rule=one.rule_events[0].rule_id).inc()
            EVENTS.labels(kind=one.kind.value, severity=one.severity.value).inc()
        memory = site.memory()
        if memory != before:
            self._ports.checkpoints.save(MEMORY, encode(memory))
        self._ports.work_queue.acknowledge(item)

    def _clip_request(self, incident: Incident) -> ClipRequest:
        """Return the wish for a clip of how it ended; how it began is in the other incident's."""
        at = incident.decisive_at
        return ClipRequest(
            incident_id=incident.incident_id,
            camera_id=incident.camera_id,
            run_id=incident.run_id,
            starts_at=at - timedelta(seconds=self._vision.pre_roll_s),
            ends_at=at + timedelta(seconds=self._vision.post_roll_s),
            still_at=at,
        )

    def _renew_if_due(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._renewed_s < self._queue.lease_s / 3:
            return
        token = self._ports.leases.acquire(_LEASE)
        if token is None or token != self._token:
            # Another one listened in between, or still does: what is known here is old.
            self._site = None
            self._at_hand.clear()
        self._token = token
        if token is not None:
            if self._site is None:
                self._site = SiteSequences(
                    clock=self._clock, time_zone=self._time_zone, memory=self._remembered()
                )
            self._configure(self._site)
        self._renewed_s = now_s

    def _configure(self, site: SiteSequences) -> None:
        try:
            deaf = site.configure(self._ports.directory.cameras())
        except ConfigError as error:
            log.error("sequences stay as they were", cause=str(error))  # noqa: TRY400  # the operator needs the sentence
            return
        for name, problem in deaf.items():
            if self._deaf.get(name) != problem:
                log.warning("a sequence hears nothing of a side", rule=name, cause=problem)
        self._deaf = deaf
        SEQUENCES_DEAF.set(len(deaf))

    def _remembered(self) -> SiteMemory | None:
        content = self._ports.checkpoints.load(MEMORY)
        if content is None:
            return None
        try:
            memory = decode(content, SiteMemory)
        except CodecError as error:
            log.warning(
                "what sequences remembered cannot be read, beginning anew", cause=str(error)
            )
            return None
        return memory if memory.version == VERSION else None
