"""The loop for sequences across cameras: one listens at a time, and nothing is lost or doubled."""

import pytest

from contracts.codec import decode, encode
from contracts.errors import TransportUnavailable
from contracts.incidents import ClipRequest, Incident
from contracts.queues import CLIPS, INCIDENTS
from contracts.rules import RuleKind
from contracts.settings import QueueSettings, VisionSettings
from tests.fakes.clock import ManualClock
from tests.fakes.ports import (
    InMemoryCameras,
    InMemoryCheckpoints,
    InMemoryLeases,
    InMemoryWorkQueue,
)
from tests.fakes.site_incidents import said, site
from tests.fakes.vision_site import StopAfter
from vision.sequence_worker import GROUP, MEMORY, SequencePorts, SequenceWorker
from vision.site_sequences import SiteSequences

CORRUPT = b'{"incident_id": 7}'
FENCE, DOOR = said("yard", "fence", 10), said("hall", "door", 25)


class Listening:
    """The ports of a site, and workers that come and go."""

    def __init__(self) -> None:
        self.ports = SequencePorts(
            directory=InMemoryCameras(site()),
            leases=InMemoryLeases(),
            work_queue=InMemoryWorkQueue(),
            checkpoints=InMemoryCheckpoints(),
        )
        self.directory, self.leases = self.ports.directory, self.ports.leases
        self.queue, self.checkpoints = self.ports.work_queue, self.ports.checkpoints
        self.clock = ManualClock()
        self.worker = self.new_worker()

    def new_worker(self) -> SequenceWorker:
        return SequenceWorker(
            self.ports, vision=VisionSettings(), queue=QueueSettings(), clock=self.clock
        )

    def publish(self, *incidents: Incident) -> None:
        for one in incidents:
            self.ports.work_queue.publish(
                INCIDENTS, item_id=f"{one.incident_id}:{one.revision}", payload=encode(one)
            )

    def made(self) -> list[Incident]:
        assert isinstance(self.queue, InMemoryWorkQueue)
        payloads = [one for one in self.queue.payloads(INCIDENTS) if one != CORRUPT]
        published = (decode(payload, Incident) for payload in payloads)
        return [one for one in published if one.kind is RuleKind.SEQUENCE]

    def owed(self) -> int:
        assert isinstance(self.queue, InMemoryWorkQueue)
        return self.queue.unacknowledged(INCIDENTS, GROUP)


def test_what_happened_is_published_and_acknowledged() -> None:
    here = Listening()
    here.publish(FENCE, DOOR)

    here.worker.turn()
    here.worker.turn()

    [made] = here.made()
    assert made.camera_id == "hall"
    assert isinstance(here.queue, InMemoryWorkQueue)
    [request] = [decode(one, ClipRequest) for one in here.queue.payloads(CLIPS)]
    assert (request.incident_id, request.camera_id) == (made.incident_id, "hall")
    assert here.owed() == 0


def test_a_new_worker_goes_on_where_the_old_one_was() -> None:
    here = Listening()
    here.publish(FENCE)
    here.worker.turn()
    here.worker = here.new_worker()
    here.publish(DOOR)

    here.worker.turn()

    assert len(here.made()) == 1


def test_one_that_is_killed_before_it_remembers_doubles_no_id() -> None:
    here = Listening()
    here.publish(FENCE)
    here.worker.turn()
    assert isinstance(here.checkpoints, InMemoryCheckpoints)
    here.checkpoints.saves_left = 0
    here.publish(DOOR)
    with pytest.raises(TransportUnavailable):
        here.worker.turn()

    here.checkpoints.saves_left = None
    here.worker = here.new_worker()
    here.publish(DOOR)
    here.worker.turn()

    ids = [one.incident_id for one in here.made()]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_what_could_not_be_published_is_published_later() -> None:
    here = Listening()
    here.publish(FENCE, DOOR)
    assert isinstance(here.queue, InMemoryWorkQueue)
    here.queue.failures = 1

    here.worker.run(StopAfter(turns=4))

    assert len(here.made()) == 1
    assert here.owed() == 0


def test_only_one_listens_at_a_time() -> None:
    here = Listening()
    assert isinstance(here.leases, InMemoryLeases)
    here.leases.held_elsewhere.add("vision/sequences")
    here.publish(FENCE, DOOR)

    here.worker.turn()

    assert here.owed() == 2


def test_one_that_takes_over_reads_what_the_other_remembered() -> None:
    here = Listening()
    assert isinstance(here.leases, InMemoryLeases)
    here.worker.turn()
    here.leases.held_elsewhere.add("vision/sequences")
    here.clock.advance(60)
    here.worker.turn()
    other = Listening()
    other.publish(FENCE)
    other.worker.turn()
    assert isinstance(here.checkpoints, InMemoryCheckpoints)
    here.checkpoints.save(MEMORY, other.ports.checkpoints.load(MEMORY) or b"")
    here.leases.held_elsewhere.clear()
    here.clock.advance(60)
    here.publish(DOOR)

    here.worker.turn()

    assert len(here.made()) == 1


def test_rules_that_are_switched_on_are_taken_up() -> None:
    here = Listening()
    assert isinstance(here.directory, InMemoryCameras)
    here.directory.listed = []
    here.worker.turn()
    here.directory.listed = site()
    here.clock.advance(60)
    here.publish(FENCE, DOOR)

    here.worker.turn()

    assert len(here.made()) == 1


@pytest.mark.parametrize("content", [b"{", b'{"version": 99}'])
def test_memory_that_cannot_be_read_begins_anew(content: bytes) -> None:
    here = Listening()
    here.ports.checkpoints.save(MEMORY, content)
    here.publish(FENCE, DOOR)

    here.worker.turn()

    assert len(here.made()) == 1


def test_what_is_no_incident_holds_nobody_up() -> None:
    here = Listening()
    here.ports.work_queue.publish(INCIDENTS, item_id="bad", payload=CORRUPT)
    here.publish(FENCE, DOOR)

    here.worker.turn()

    assert len(here.made()) == 1
    assert here.owed() == 2  # the bad one, for the dead letters, and what it made itself


def test_a_stop_gives_the_lease_back() -> None:
    here = Listening()
    here.worker.run(StopAfter(turns=1))

    assert isinstance(here.leases, InMemoryLeases)
    assert here.leases.held == {}


def test_an_incident_that_cannot_be_worked_on_costs_only_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = Listening()
    read = SiteSequences.read

    def fail_once(self: SiteSequences, incident: Incident) -> list[Incident]:
        if incident.camera_id == "gate":
            raise ValueError("told to fail")
        return read(self, incident)

    monkeypatch.setattr(SiteSequences, "read", fail_once)
    here.publish(said("gate", "fence", 5), FENCE, DOOR)

    here.worker.turn()

    assert len(here.made()) == 1
