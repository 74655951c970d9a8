"""A dispatcher between a scripted queue and a real history, on a clock that stands still."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import REGISTRY

from alerts.dispatcher import AlertDispatcher
from alerts.history.ports import AlertFilter, FeedEntry
from alerts.history.sql import History
from contracts import queues
from contracts.alerts import Alert, FeedType
from contracts.codec import encode
from contracts.errors import TransportUnavailable
from contracts.incidents import EvidenceReady, Incident
from contracts.reasoning import Finding
from contracts.settings import AlertSettings
from tests.alerts.builders import clip
from tests.fakes.clock import START, ManualClock
from tests.fakes.ports import InMemoryWorkQueue


class FlakyHistory:
    """The real history, except that it cannot be reached while ``is_down``."""

    def __init__(self, history: History) -> None:
        self._alerts = history.alerts
        self.is_down = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the history has
        if self.is_down:
            raise TransportUnavailable("database: told to be down")
        return getattr(self._alerts, name)


@dataclass
class Bench:
    history: History
    queue: InMemoryWorkQueue
    clock: ManualClock
    storage: FlakyHistory
    dispatcher: AlertDispatcher

    def send(self, *messages: Incident | Finding | EvidenceReady) -> None:
        for message in messages:
            topic = {
                Incident: queues.INCIDENTS,
                Finding: queues.FINDINGS,
                EvidenceReady: queues.EVIDENCE,
            }[type(message)]
            self.queue.publish(topic, item_id="x", payload=encode(message))

    def step(self, *messages: Incident | Finding | EvidenceReady) -> None:
        self.send(*messages)
        self.dispatcher.step(wait_s=0.0)

    @property
    def alerts(self) -> Sequence[Alert]:
        return self.history.archive.list_alerts(AlertFilter(), cursor=None, limit=50).items

    @property
    def alert(self) -> Alert:
        [only] = self.alerts
        return only

    @property
    def feed(self) -> list[FeedEntry]:
        return list(self.history.archive.feed_after(0, limit=100))

    @property
    def told(self) -> list[FeedType]:
        return [entry.feed_type for entry in self.feed]

    def unacknowledged(self, topic: str) -> int:
        return self.queue.unacknowledged(topic, "alerts")


def bench_with(history: History, settings: AlertSettings) -> Bench:
    clock = ManualClock(START)
    clock.advance(4.1)
    queue = InMemoryWorkQueue()
    storage = FlakyHistory(history)
    dispatcher = AlertDispatcher(
        queue,
        storage,
        cameras=history.cameras,
        settings=settings,
        deadline_s=1.0,
        clock=clock,
    )
    return Bench(history, queue, clock, storage, dispatcher)


def ready(problem: str = "") -> EvidenceReady:
    ref = "" if problem else clip().ref
    return EvidenceReady(incident_id="ev_1", camera_id="cam", item=clip(ref, problem=problem))


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0
