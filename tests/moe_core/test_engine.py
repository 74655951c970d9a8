import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from contracts import codec
from contracts.errors import TransportUnavailable
from contracts.incidents import Incident
from contracts.queues import FINDINGS, INCIDENTS, WorkItem
from contracts.reasoning import Decision, Finding, ReasoningVerdict
from contracts.rules import Severity
from moe_core.engine import GROUP, ReasoningEngine
from moe_core.program import ProgramReasoner
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import situation
from tests.fakes.ports import InMemoryWorkQueue


class FailingReasoner:
    """Raises about every incident."""

    name = "failing"

    def reason(self, incident: Incident) -> Finding:
        raise ZeroDivisionError(incident.incident_id)


class StoppingClock(ManualClock):
    """Sets ``stop`` once it has slept often enough: the loop has then had its chance."""

    def __init__(self, stop: threading.Event, *, after_sleeps: int) -> None:
        super().__init__()
        self._stop = stop
        self._left = after_sleeps

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._left -= 1
        if self._left <= 0:
            self._stop.set()


class LimitedQueue(InMemoryWorkQueue):
    """Sets ``stop`` when there is nothing left to receive, as a test wants."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def receive(self, *args: object, **kwargs: object) -> list[WorkItem]:
        items = super().receive(*args, **kwargs)  # type: ignore[arg-type]  # passed through
        if not items:
            self._stop.set()
        return items


def send(queue: InMemoryWorkQueue, incident: Incident) -> None:
    queue.publish(
        INCIDENTS,
        item_id=f"{incident.incident_id}.{incident.revision}",
        payload=codec.encode(incident),
    )


def findings(queue: InMemoryWorkQueue) -> list[Finding]:
    return [codec.decode(payload, Finding) for payload in queue.payloads(FINDINGS)]


def run(queue: LimitedQueue, stop: threading.Event, reasoner: object = None) -> None:
    clock = ManualClock()
    engine = ReasoningEngine(
        queue,
        reasoner=reasoner or ProgramReasoner(clock),  # type: ignore[arg-type]  # a reasoner
        clock=clock,
    )
    engine.run(stop)


def counted(result: str) -> float:
    return REGISTRY.get_sample_value("vigil_reason_requests_total", {"result": result}) or 0.0


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def queue(stop: threading.Event) -> LimitedQueue:
    return LimitedQueue(stop)


def test_an_incident_becomes_a_finding_and_is_acknowledged(
    queue: LimitedQueue, stop: threading.Event
) -> None:
    send(queue, situation())

    run(queue, stop)

    [finding] = findings(queue)
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert queue.published[-1][1] == finding.finding_id
    assert queue.unacknowledged(INCIDENTS, GROUP) == 0


def test_a_repeat_gives_the_same_finding_id(queue: LimitedQueue, stop: threading.Event) -> None:
    send(queue, situation())
    run(queue, stop)
    stop.clear()
    send(queue, situation())

    run(queue, stop)

    assert len({finding.finding_id for finding in findings(queue)}) == 1


def test_the_most_severe_goes_first_and_among_equals_the_newest(
    queue: LimitedQueue, stop: threading.Event
) -> None:
    low = situation(severity=Severity.LOW)
    high = situation(severity=Severity.HIGH)
    newer = replace(high, detected_at=high.detected_at + timedelta(seconds=5))
    send(queue, replace(low, incident_id="ev_low"))
    send(queue, replace(high, incident_id="ev_high"))
    send(queue, replace(newer, incident_id="ev_newer"))

    run(queue, stop)

    order = [finding.incident_id for finding in findings(queue)]
    assert order == ["ev_newer", "ev_high", "ev_low"]


def test_of_two_revisions_in_hand_the_newest_is_reasoned_about(
    queue: LimitedQueue, stop: threading.Event
) -> None:
    send(queue, situation())
    send(queue, replace(situation(), revision=2))
    before = counted("shed")

    run(queue, stop)

    assert [finding.incident_revision for finding in findings(queue)] == [2]
    assert queue.unacknowledged(INCIDENTS, GROUP) == 0
    assert counted("shed") == before + 1


def test_a_reasoner_that_fails_suppresses_nothing(
    queue: LimitedQueue, stop: threading.Event
) -> None:
    incident = situation(severity=Severity.CRITICAL)
    send(queue, incident)
    before = counted("error")

    with capture_logs() as logged:
        run(queue, stop, FailingReasoner())

    [finding] = findings(queue)
    assert finding.decision is Decision.ALERT
    assert finding.severity is Severity.CRITICAL
    assert finding.reasoning.verdict is ReasoningVerdict.ABSTAINED
    assert finding.attributes["error"] == "ZeroDivisionError"
    assert "ZeroDivisionError" in finding.reasoning.claims[0].note
    assert "Loading dock" in finding.title
    assert queue.unacknowledged(INCIDENTS, GROUP) == 0
    assert counted("error") == before + 1
    assert logged[0]["camera_id"] == "cam"


def test_what_is_no_incident_is_counted_and_left_to_the_dead_letters(
    queue: LimitedQueue, stop: threading.Event
) -> None:
    queue.publish(INCIDENTS, item_id="bad", payload=b'{"incident_id": 7}')
    send(queue, situation())
    before = counted("invalid")

    with capture_logs() as logged:
        run(queue, stop)

    assert len(findings(queue)) == 1
    assert queue.unacknowledged(INCIDENTS, GROUP) == 1
    assert counted("invalid") == before + 1
    assert logged[0]["log_level"] == "error"


def test_a_finding_is_published_again_until_the_queue_takes_it(
    queue: LimitedQueue, stop: threading.Event
) -> None:
    send(queue, situation())
    queue.failures = 3

    with capture_logs():
        run(queue, stop)

    assert len(findings(queue)) == 1
    assert queue.unacknowledged(INCIDENTS, GROUP) == 0


def test_an_incident_whose_finding_was_not_taken_is_not_acknowledged(
    stop: threading.Event,
) -> None:
    queue = InMemoryWorkQueue()
    send(queue, situation())
    queue.failures = 100
    clock = StoppingClock(stop, after_sleeps=3)

    with capture_logs():
        ReasoningEngine(queue, reasoner=ProgramReasoner(clock), clock=clock).run(stop)

    assert findings(queue) == []
    assert queue.unacknowledged(INCIDENTS, GROUP) == 1


def test_a_queue_that_is_down_is_asked_again_until_told_to_stop(stop: threading.Event) -> None:
    queue = InMemoryWorkQueue()
    queue.is_down = True
    clock = StoppingClock(stop, after_sleeps=5)

    with capture_logs() as logged:
        ReasoningEngine(queue, reasoner=ProgramReasoner(clock), clock=clock).run(stop)

    assert len(logged) == 5


def test_an_acknowledgement_that_is_lost_does_not_end_the_loop(stop: threading.Event) -> None:
    class Deaf(LimitedQueue):
        def acknowledge(self, item: WorkItem) -> None:
            raise TransportUnavailable("told to fail")

    queue = Deaf(stop)
    send(queue, situation())

    with capture_logs() as logged:
        run(queue, stop)

    assert len(findings(queue)) == 1
    assert "will come again" in logged[0]["event"]


def test_a_stopped_engine_receives_nothing(queue: LimitedQueue, stop: threading.Event) -> None:
    send(queue, situation())
    stop.set()

    run(queue, stop)

    assert queue.unacknowledged(INCIDENTS, GROUP) == 1


def test_claims_are_counted_by_role_and_status(queue: LimitedQueue, stop: threading.Event) -> None:
    labels = {"type": "ruled_out", "status": "supported"}
    before = REGISTRY.get_sample_value("vigil_claims_total", labels) or 0.0
    send(queue, situation())

    run(queue, stop)

    after = REGISTRY.get_sample_value("vigil_claims_total", labels) or 0.0
    assert after >= before + 5
