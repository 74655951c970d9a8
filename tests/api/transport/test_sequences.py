"""Sequences across cameras over Redis, and across a worker that is replaced."""

from api.transport.checkpoints import RedisCheckpoints
from api.transport.connection import RedisClient
from api.transport.leases import RedisLeases
from api.transport.work_queue import RedisWorkQueue
from contracts.codec import decode, encode
from contracts.incidents import Incident
from contracts.queues import INCIDENTS
from contracts.rules import RuleKind
from contracts.settings import QueueSettings, VisionSettings
from tests.fakes.clock import ManualClock
from tests.fakes.ports import InMemoryCameras
from tests.fakes.site_incidents import said, site
from vision.sequence_worker import SequencePorts, SequenceWorker


def worker(client: RedisClient, name: str) -> SequenceWorker:
    clock = ManualClock()
    return SequenceWorker(
        SequencePorts(
            directory=InMemoryCameras(site()),
            leases=RedisLeases(client, holder=name, lease_s=3),
            work_queue=RedisWorkQueue(client, consumer=name, clock=clock),
            checkpoints=RedisCheckpoints(client),
        ),
        vision=VisionSettings(),
        queue=QueueSettings(),
        clock=clock,
    )


def test_a_sequence_goes_on_over_a_change_of_workers(client: RedisClient) -> None:
    queue = RedisWorkQueue(client, consumer="vision", clock=ManualClock())
    for at, incident in enumerate([said("yard", "fence", 10), said("hall", "door", 25)]):
        queue.publish(INCIDENTS, item_id=f"{at}", payload=encode(incident))
        worker(client, f"w{at}").turn()
        RedisLeases(client, holder=f"w{at}", lease_s=3).release("vision/sequences")

    items = queue.receive([INCIDENTS], group="alerts", max_items=9, timeout_s=0.1)

    kinds = [decode(item.payload, Incident).kind for item in items]
    assert kinds == [RuleKind.INTRUSION, RuleKind.INTRUSION, RuleKind.SEQUENCE]
