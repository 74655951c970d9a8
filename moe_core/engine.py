"""The reasoning stage's loop: incidents in, findings out, nothing suppressed by a failure."""

import threading
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from contracts import codec
from contracts.clock import Clock
from contracts.errors import TransportUnavailable
from contracts.incidents import Incident
from contracts.queues import FINDINGS, INCIDENTS, WorkItem, WorkQueue
from contracts.reasoning import Finding
from moe_core.findings import abstained
from moe_core.metrics import CLAIMS, REASON_REQUESTS, REASON_SECONDS

log = structlog.get_logger()

GROUP: Final = "moe_core"
BATCH: Final = 16
"""Items taken at once: enough to choose the urgent ones among, few enough to be done in time."""
RECEIVE_TIMEOUT_S: Final = 0.5
"""So soon the loop notices that it should stop."""
RETRY_S: Final = 0.5
"""Wait before asking a queue again that could not be reached."""


class Reasoner(Protocol):
    """Draws a finding from an incident."""

    @property
    def name(self) -> str:
        """``program``, or the name of a trained core; goes into every finding."""
        ...

    def reason(self, incident: Incident) -> Finding:
        """Return the finding about this revision. What it raises costs the reasoning only."""
        ...


class ReasoningEngine:
    """Consumes incidents and publishes one finding for each revision that it reasons about.

    * The most severe goes first, among equals the newest: who waits longest has missed its
      deadline anyway. Of several revisions of one incident in hand, only the newest is reasoned
      about, since it contains the others; those are acknowledged with it and counted as shed.
    * An item is acknowledged once its finding is durable. A repeat gives the same finding id.
    * A reasoner that raises yields a finding that abstains and leaves the rule's decision as it
      was: an error suppresses nothing.
    * What is no incident is not acknowledged: the queue hands it out a few times more and then
      keeps it among its dead letters, where it can be looked at. The alert does not depend on
      it, since alerts reads the incident itself.
    """

    def __init__(self, work_queue: WorkQueue, *, reasoner: Reasoner, clock: Clock) -> None:
        self._queue = work_queue
        self._reasoner = reasoner
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; what was not acknowledged by then is handed out again."""
        while not stop.is_set():
            try:
                items = self._queue.receive(
                    (INCIDENTS,), group=GROUP, max_items=BATCH, timeout_s=RECEIVE_TIMEOUT_S
                )
            except TransportUnavailable as error:
                log.warning("incidents cannot be received, trying again", cause=str(error))
                self._clock.sleep(RETRY_S)
                continue
            self.handle(items, stop)

    def handle(self, items: Sequence[WorkItem], stop: threading.Event) -> None:
        """Reason about one batch, most urgent first."""
        decoded = [(item, incident) for item in items if (incident := _decoded(item)) is not None]
        newest: dict[str, int] = {}
        for _, incident in decoded:
            known = newest.get(incident.incident_id, 0)
            newest[incident.incident_id] = max(known, incident.revision)
        done: set[str] = set()
        for item, incident in sorted(decoded, key=lambda pair: _urgency(pair[1])):
            if stop.is_set():
                return
            if incident.revision < newest[incident.incident_id]:
                continue
            if incident.incident_id not in done:
                finding = self._finding(incident)
                if not self._publish(finding, stop):
                    return
                done.add(incident.incident_id)
            self._acknowledge(item, incident)
        for item, incident in decoded:
            if incident.revision < newest[incident.incident_id]:
                REASON_REQUESTS.labels(result="shed").inc()
                self._acknowledge(item, incident)

    def _finding(self, incident: Incident) -> Finding:
        started_s = self._clock.monotonic_s()
        result = "ok"
        try:
            finding = self._reasoner.reason(incident)
        except Exception as error:  # loop boundary: the rule's word must go on
            result = "error"
            log.exception(
                "reasoning failed, the rule's word stands",
                camera_id=incident.camera_id,
                incident_id=incident.incident_id,
                revision=incident.revision,
            )
            finding = abstained(
                incident, reasoner=self._reasoner.name, error=error, clock=self._clock
            )
        REASON_REQUESTS.labels(result=result).inc()
        REASON_SECONDS.observe(self._clock.monotonic_s() - started_s)
        for claim in finding.reasoning.claims:
            CLAIMS.labels(type=str(claim.role), status=str(claim.status)).inc()
        return finding

    def _publish(self, finding: Finding, stop: threading.Event) -> bool:
        """Publish until it is durable; False if told to stop first."""
        payload = codec.encode(finding)
        while True:
            try:
                self._queue.publish(FINDINGS, item_id=finding.finding_id, payload=payload)
            except TransportUnavailable as error:
                log.warning(
                    "finding cannot be published, trying again",
                    camera_id=finding.camera_id,
                    incident_id=finding.incident_id,
                    cause=str(error),
                )
                if stop.is_set():
                    return False
                self._clock.sleep(RETRY_S)
            else:
                return True

    def _acknowledge(self, item: WorkItem, incident: Incident) -> None:
        try:
            self._queue.acknowledge(item)
        except TransportUnavailable as error:
            log.warning(
                "incident cannot be acknowledged, it will come again",
                camera_id=incident.camera_id,
                incident_id=incident.incident_id,
                cause=str(error),
            )


def _decoded(item: WorkItem) -> Incident | None:
    try:
        return codec.decode(item.payload, Incident)
    except codec.CodecError as error:
        REASON_REQUESTS.labels(result="invalid").inc()
        log.error(  # noqa: TRY400  # the cause is in the sender, not in this stack
            "what was received is no incident, leaving it to the dead letters",
            item_id=item.item_id,
            deliveries=item.deliveries,
            cause=str(error),
        )
        return None


def _urgency(incident: Incident) -> tuple[int, float]:
    """Sort key: most severe first, then newest."""
    return (-incident.severity.rank, -incident.detected_at.timestamp())
