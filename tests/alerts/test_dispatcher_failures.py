"""What the dispatcher does while its surroundings fail."""

import threading

from alerts.dispatcher import AlertDispatcher
from contracts import queues
from contracts.alerts import FeedType
from contracts.clock import SystemClock
from contracts.codec import encode
from contracts.errors import TransportUnavailable
from contracts.settings import AlertSettings
from tests.alerts.bench import Bench, counted, ready
from tests.alerts.builders import clip, incident
from tests.fakes.ports import InMemoryWorkQueue


def test_while_the_database_is_down_items_are_kept_and_nothing_more_is_taken(
    bench: Bench,
) -> None:
    bench.storage.is_down = True
    bench.step(incident())
    for _ in range(10):
        bench.step()
    bench.send(incident("ev_2", at_s=5.0, track_id="t2", feet=((0.02, 0.5), (0.5, 0.5))))
    bench.step()
    assert bench.unacknowledged(queues.INCIDENTS) == 2
    assert bench.clock.slept_s[:3] == [0.1, 0.2, 0.4]
    assert max(bench.clock.slept_s) == 2.0

    bench.storage.is_down = False
    bench.step()
    bench.step()

    assert bench.told.count(FeedType.ALERT_OPENED) == 2
    assert bench.unacknowledged(queues.INCIDENTS) == 0


def test_while_the_queue_is_down_the_dispatcher_waits(bench: Bench) -> None:
    bench.send(incident())
    bench.queue.is_down = True
    bench.step()
    bench.queue.is_down = False

    bench.step()

    assert bench.told == [FeedType.ALERT_OPENED]


def test_an_item_whose_acknowledgement_failed_is_not_told_twice(bench: Bench) -> None:
    class DeafQueue(InMemoryWorkQueue):
        deaf = True

        def acknowledge(self, item: queues.WorkItem) -> None:
            if self.deaf:
                raise TransportUnavailable("acknowledging: told to fail")
            super().acknowledge(item)

    queue = DeafQueue()
    dispatcher = AlertDispatcher(
        queue,
        bench.history.alerts,
        cameras=bench.history.cameras,
        settings=AlertSettings(),
        deadline_s=1000.0,
        clock=bench.clock,
    )
    queue.publish(queues.INCIDENTS, item_id="x", payload=encode(incident()))

    dispatcher.step(wait_s=0.0)
    queue.deaf = False
    dispatcher.step(wait_s=0.0)

    assert bench.told == [FeedType.ALERT_OPENED]
    assert queue.unacknowledged(queues.INCIDENTS, "alerts") == 0


def test_a_corrupt_item_is_left_and_the_others_go_on(bench: Bench) -> None:
    bench.queue.publish(queues.INCIDENTS, item_id="x", payload=b"{")

    bench.step(incident())

    assert bench.told == [FeedType.ALERT_OPENED]
    assert bench.unacknowledged(queues.INCIDENTS) == 1


def test_a_clip_that_comes_before_its_incident_is_tried_again(bench: Bench) -> None:
    bench.step(ready())
    assert bench.unacknowledged(queues.EVIDENCE) == 1

    bench.clock.advance(0.9)
    bench.step(incident())
    assert bench.unacknowledged(queues.EVIDENCE) == 1
    bench.clock.advance(0.1)
    bench.step()

    assert clip() in bench.alert.incident.evidence
    assert bench.unacknowledged(queues.EVIDENCE) == 0


def test_a_clip_whose_incident_never_comes_is_left_to_the_queue(bench: Bench) -> None:
    bench.step(ready())
    for _ in range(103):
        bench.clock.advance(1.0)
        bench.step()

    bench.clock.advance(5.0)
    bench.step(incident())

    assert clip() not in bench.alert.incident.evidence
    assert bench.unacknowledged(queues.EVIDENCE) == 1


def test_the_loop_ends_when_told_to(bench: Bench) -> None:
    stop = threading.Event()
    dispatcher = AlertDispatcher(
        bench.queue,
        bench.history.alerts,
        cameras=bench.history.cameras,
        settings=AlertSettings(),
        deadline_s=1.0,
        clock=SystemClock(),
    )
    running = threading.Thread(target=dispatcher.run, args=(stop,))
    running.start()
    stop.set()
    running.join(timeout=10)

    assert not running.is_alive()


def test_a_corrupt_item_is_counted(bench: Bench) -> None:
    labels = {"topic": "findings", "reason": "corrupt"}
    corrupt = counted("vigil_alert_items_failed_total", **labels)
    bench.queue.publish(queues.FINDINGS, item_id="x", payload=b"[]")

    bench.step()

    assert counted("vigil_alert_items_failed_total", **labels) == corrupt + 1
