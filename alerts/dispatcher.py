"""The loop of the alerts stage: work items in, durable alerts out. It holds no rule itself."""

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Final

import structlog

from alerts import metrics
from alerts.decide import Situation, Step, cooldown_of, decide
from alerts.history.ports import CameraStore, DispatchHistory
from alerts.lifecycle import give_up_waiting, with_evidence
from alerts.payload import feed_entry
from contracts import queues
from contracts.alerts import Alert, FeedType
from contracts.clock import Clock
from contracts.codec import CodecError, decode
from contracts.errors import ConfigError, TransportUnavailable
from contracts.incidents import EvidenceKind, EvidenceReady, Incident
from contracts.queues import WorkItem, WorkQueue
from contracts.reasoning import Finding
from contracts.rules import Severity
from contracts.settings import AlertSettings

log = structlog.get_logger()

GROUP: Final = "alerts"
_TOPICS: Final = (queues.INCIDENTS, queues.FINDINGS, queues.EVIDENCE)
_BATCH: Final = 32
_WAIT_S: Final = 0.2
"""Longest wait for work: missed deadlines are looked for as often."""
_BACK_OFF_S: Final = (0.1, 2.0)
"""First and longest wait while database or queue cannot be reached."""
_ROUNDS: Final = 20
"""Writers about one incident that interfere with each other settle within a few rounds."""
_PARKED_FOR_S: Final = 100.0
"""How long evidence waits for its incident, less than the queue waits before it repeats it."""
_PARKED_RETRY_S: Final = 1.0
_PARKED_MAX: Final = 1_000
_CLOCK_SLACK: Final = timedelta(seconds=60)
"""``opened_at`` and ``decisive_at`` come from the clocks of two machines."""


@dataclass(slots=True, kw_only=True)
class _Parked:
    """Evidence whose incident has not come yet."""

    item: WorkItem
    ready: EvidenceReady
    since_s: float
    retry_at_s: float


class AlertDispatcher:
    """Turns incidents, findings and evidence into stored alerts.

    An item is acknowledged once its effects are committed, so a killed dispatcher loses nothing,
    and every handler bears repeats. While the database cannot be reached the items at hand are
    kept and nothing more is taken.

    Args:
        work_queue: One of its own; the consumer's name tells the dispatchers apart.
        history: Where alerts are kept.
        cameras: Whose rules' cool-downs apply.
        settings: For ``min_severity``.
        deadline_s: An alert not reasoned within this time is marked unreasoned.
        clock: Wall clock for what is stored, monotonic for waiting.
    """

    def __init__(
        self,
        work_queue: WorkQueue,
        history: DispatchHistory,
        *,
        cameras: CameraStore,
        settings: AlertSettings,
        deadline_s: float,
        clock: Clock,
    ) -> None:
        self._queue = work_queue
        self._history = history
        self._cameras = cameras
        self._min_severity = Severity(settings.min_severity)
        self._deadline = timedelta(seconds=deadline_s)
        self._clock = clock
        self._at_hand: deque[WorkItem] = deque()
        self._parked: dict[str, _Parked] = {}
        self._back_off_s = _BACK_OFF_S[0]

    def run(self, stop: Event) -> None:
        """Work until told to stop; what is at hand then is not acknowledged and comes again."""
        while not stop.is_set():
            try:
                self.step(wait_s=_WAIT_S)
            except Exception:
                metrics.FAILED_ITEMS.labels("", "failed").inc()
                log.exception("dispatching alerts failed, going on", at_hand=len(self._at_hand))
                self._clock.sleep(_BACK_OFF_S[1])

    def step(self, *, wait_s: float) -> None:
        """Take what there is, waiting at most ``wait_s`` for it, and work on it once."""
        try:
            if not self._at_hand:
                self._at_hand.extend(
                    self._queue.receive(_TOPICS, group=GROUP, max_items=_BATCH, timeout_s=wait_s)
                )
            while self._at_hand:
                self._work_on(self._at_hand[0])
                self._at_hand.popleft()
            self._retry_parked()
            self._mark_unreasoned()
            self._back_off_s = _BACK_OFF_S[0]
        except (TransportUnavailable, ConfigError) as error:
            # ConfigError: a database without its tables. Somebody is about to make them.
            metrics.STORAGE_RETRIES.inc()
            log.warning(
                "alerts wait for their storage",
                cause=str(error),
                at_hand=len(self._at_hand),
                retry_in_s=self._back_off_s,
            )
            self._clock.sleep(self._back_off_s)
            self._back_off_s = min(self._back_off_s * 2, _BACK_OFF_S[1])

    def _work_on(self, item: WorkItem) -> None:
        """Work on one item and acknowledge it; one that cannot be worked on is left as it is.

        The queue hands it out again later and gives it up, visibly, after a few times.
        """
        try:
            is_done = self._apply(item)
        except (TransportUnavailable, ConfigError):
            raise
        except CodecError as error:
            metrics.FAILED_ITEMS.labels(item.topic, "corrupt").inc()
            log.error("corrupt item left unacknowledged", cause=str(error), **_names(item))  # noqa: TRY400  # its own words say more than a traceback
            return
        except Exception:
            metrics.FAILED_ITEMS.labels(item.topic, "failed").inc()
            log.exception("item left unacknowledged, working on it failed", **_names(item))
            return
        if is_done:
            self._queue.acknowledge(item)

    def _apply(self, item: WorkItem) -> bool:
        match item.topic:
            case queues.INCIDENTS:
                incident = decode(item.payload, Incident)
                self._settle(incident.incident_id, incident)
            case queues.FINDINGS:
                finding = decode(item.payload, Finding)
                # Stored before the incident is looked for, while the incident's own handler
                # stores it before it looks for findings: whoever is second sees both.
                self._history.store_finding(finding)
                self._settle(finding.incident_id, None)
            case queues.EVIDENCE:
                ready = decode(item.payload, EvidenceReady)
                if not self._add_evidence(ready):
                    self._park(item, ready)
                    return False
                self._parked.pop(item.entry_id, None)
            case _:
                raise CodecError(f"topic {item.topic!r} is none of {', '.join(_TOPICS)}")
        return True

    def _settle(self, incident_id: str, incoming: Incident | None) -> None:
        """Tell whatever there is to tell about an incident, until nothing is left."""
        for _ in range(_ROUNDS):
            situation = self._situation(incident_id, incoming)
            if situation is None:
                return
            step = decide(situation, min_severity=self._min_severity, now=self._clock.now())
            if step.alert is not None and step.feed_type is not None:
                self._tell(situation.alert, step.alert, step.feed_type)
            elif step.suppressed is not None:
                if self._keep_suppressed(situation, step):
                    return
            else:
                return
        raise TransportUnavailable(f"incident {incident_id}: other writers keep changing it")

    def _situation(self, incident_id: str, incoming: Incident | None) -> Situation | None:
        alert = self._history.alert_of_incident(incident_id)
        stored = alert.incident if alert else self._history.incident(incident_id)
        incident = _newer(incoming, stored)
        if incident is None:
            return None
        finding = self._history.newest_finding(incident_id)
        if alert is not None:
            return Situation(incident=incident, finding=finding, alert=alert)
        camera = self._cameras.camera(incident.camera_id)
        cooldown_s = cooldown_of([camera] if camera else [], incident)
        since = incident.decisive_at - timedelta(seconds=cooldown_s) - _CLOCK_SLACK
        recent = self._history.latest_alerts(
            incident.camera_id, incident.rule_events[0].rule_id, since=since
        )
        return Situation(
            incident=incident, finding=finding, alert=None, recent=recent, cooldown_s=cooldown_s
        )

    def _keep_suppressed(self, situation: Situation, step: Step) -> bool:
        """Keep an incident without an alert; False if a finding came in meanwhile."""
        incident = situation.incident
        reason = step.suppressed.value if step.suppressed else ""
        self._history.store_incident(incident, suppressed=reason)
        if self._history.newest_finding(incident.incident_id) != situation.finding:
            return False
        metrics.SUPPRESSED.labels(reason).inc()
        log.info(
            "no alert raised",
            camera_id=incident.camera_id,
            incident_id=incident.incident_id,
            reason=reason,
        )
        return True

    def _tell(self, before: Alert | None, after: Alert, feed_type: FeedType) -> bool:
        """Store the alert at its next revision; False if another writer was faster."""
        is_stored = self._history.store_alert(after, feed_entry(after, feed_type))
        if is_stored:
            self._count(before, after, feed_type)
        return is_stored

    def _add_evidence(self, ready: EvidenceReady) -> bool:
        if not self._history.add_evidence(ready.incident_id, ready.item):
            return False
        if ready.item.kind is not EvidenceKind.CLIP or not ready.item.ref:
            return True
        told_revision = 0
        for _ in range(_ROUNDS):
            alert = self._history.alert_of_incident(ready.incident_id)
            # The same revision after a refusal: it was no faster writer, the clip was told before.
            if alert is None or alert.revision == told_revision:
                return True
            told_revision = alert.revision
            after = with_evidence(alert, now=self._clock.now())
            entry = feed_entry(after, FeedType.ALERT_REVISED, cause=ready.item.ref)
            if self._history.store_alert(after, entry):
                self._count(alert, after, FeedType.ALERT_REVISED)
                return True
        raise TransportUnavailable(f"incident {ready.incident_id}: other writers keep changing it")

    def _park(self, item: WorkItem, ready: EvidenceReady) -> None:
        now_s = self._clock.monotonic_s()
        if item.entry_id not in self._parked and len(self._parked) >= _PARKED_MAX:
            metrics.FAILED_ITEMS.labels(item.topic, "no_incident").inc()
            return
        known = self._parked.get(item.entry_id)
        self._parked[item.entry_id] = _Parked(
            item=item,
            ready=ready,
            since_s=known.since_s if known else now_s,
            retry_at_s=now_s + _PARKED_RETRY_S,
        )

    def _retry_parked(self) -> None:
        now_s = self._clock.monotonic_s()
        for entry_id, parked in list(self._parked.items()):
            if now_s < parked.retry_at_s:
                continue
            if now_s - parked.since_s > _PARKED_FOR_S:
                del self._parked[entry_id]
                metrics.FAILED_ITEMS.labels(parked.item.topic, "no_incident").inc()
                log.warning(
                    "evidence left unacknowledged, its incident did not come",
                    camera_id=parked.ready.camera_id,
                    incident_id=parked.ready.incident_id,
                )
            else:
                self._work_on(parked.item)

    def _mark_unreasoned(self) -> None:
        # By the wall clock: the deadline must hold across restarts and between machines.
        now = self._clock.now()
        waiting = self._history.alerts_awaiting_reasoning(before=now - self._deadline, limit=_BATCH)
        for alert in waiting:
            marked = give_up_waiting(alert, now=now)
            if marked and self._tell(alert, marked, FeedType.ALERT_REVISED):
                log.warning(
                    "alert not reasoned in time",
                    camera_id=alert.camera_id,
                    alert_id=alert.alert_id,
                    deadline_s=self._deadline.total_seconds(),
                )

    def _count(self, before: Alert | None, after: Alert, feed_type: FeedType) -> None:
        metrics.ALERT_REVISIONS.labels(feed_type.value).inc()
        latency_s = (after.updated_at - after.incident.decisive_at).total_seconds()
        if feed_type is FeedType.ALERT_OPENED:
            metrics.ALERT_LATENCY.labels(after.severity.value).observe(max(0.0, latency_s))
        verdict = _first_verdict(before, after)
        if verdict:
            metrics.ALERTS.labels(after.kind.value, after.severity.value, verdict).inc()
        if verdict and after.finding is not None:
            waited_s = (after.updated_at - after.incident.detected_at).total_seconds()
            metrics.VERDICT_LATENCY.labels(after.severity.value).observe(max(0.0, waited_s))
            log.info(
                "verdict told",
                camera_id=after.camera_id,
                alert_id=after.alert_id,
                verdict=verdict,
                since_detected_s=round(waited_s, 3),
                correlation_id=after.correlation_id,
            )
        log.info(
            "alert told",
            camera_id=after.camera_id,
            alert_id=after.alert_id,
            revision=after.revision,
            phase=after.phase.value,
            severity=after.severity.value,
            since_decisive_s=round(latency_s, 3),
            correlation_id=after.correlation_id,
        )


def _newer(first: Incident | None, second: Incident | None) -> Incident | None:
    known = [incident for incident in (first, second) if incident is not None]
    return max(known, key=lambda incident: incident.revision, default=None)


def _first_verdict(before: Alert | None, after: Alert) -> str:
    """Return what the alert is counted under, if this revision is the first to know it."""
    if before is None or before.finding is not None or before.is_unreasoned:
        return ""
    if after.finding is not None:
        return after.finding.reasoning.verdict.value
    return "unreasoned" if after.is_unreasoned else ""


def _names(item: WorkItem) -> dict[str, object]:
    return {"topic": item.topic, "item_id": item.item_id, "deliveries": item.deliveries}
