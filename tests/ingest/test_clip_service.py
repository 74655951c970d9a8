import threading
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta

import cv2
import numpy as np
import pytest

from contracts.clock import SystemClock
from contracts.codec import decode, encode
from contracts.errors import EvidenceMissing, TransportUnavailable
from contracts.geometry import Zone
from contracts.incidents import ClipRequest, EvidenceItem, EvidenceKind, EvidenceReady
from contracts.queues import CLIPS, EVIDENCE
from ingest.clip_ring import ClipRing, Footage
from ingest.clip_service import ClipService
from ingest.clips import make_clip
from ingest.evidence_stream import EvidenceRing
from ingest.stills import make_still
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START, ManualClock
from tests.fakes.ports import InMemoryEvidence, InMemoryWorkQueue
from tests.ingest.rings import ring_of

WINDOW = Zone(zone_id="window", polygon=((0.1, 0.1), (0.4, 0.1), (0.4, 0.4)))


class Bench:
    """A clip service with everything around it in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.queue = InMemoryWorkQueue()
        self.store = InMemoryEvidence()
        self.rings: dict[str, ClipRing] = {}
        self.service = self.new_service()

    def new_service(self) -> ClipService:
        return ClipService(
            self.rings.get, work_queue=self.queue, evidence_store=self.store, clock=self.clock
        )

    def ask(
        self,
        *,
        start_s: float = 1.0,
        end_s: float = 3.0,
        run_id: str = "run1",
        still_s: float | None = None,
    ) -> None:
        request = ClipRequest(
            incident_id="ev_1",
            camera_id="gate",
            run_id=run_id,
            starts_at=START + timedelta(seconds=start_s),
            ends_at=START + timedelta(seconds=end_s),
            still_at=None if still_s is None else START + timedelta(seconds=still_s),
        )
        self.queue.publish(CLIPS, item_id="cr_1", payload=encode(request))

    @property
    def answers(self) -> list[EvidenceItem]:
        found = [decode(payload, EvidenceReady) for payload in self.queue.payloads(EVIDENCE)]
        assert all((ready.incident_id, ready.camera_id) == ("ev_1", "gate") for ready in found)
        return [ready.item for ready in found]

    @property
    def is_acknowledged(self) -> bool:
        return self.queue.unacknowledged(CLIPS, "ingest") == 0


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_clip_that_is_there_is_kept_published_and_acknowledged(bench: Bench) -> None:
    bench.rings["gate"] = ring_of(walker_path())
    bench.ask()

    bench.service.step()

    [item] = bench.answers
    assert item.kind is EvidenceKind.CLIP
    assert item.problem == ""
    assert item.captured_at == START + timedelta(seconds=1)
    assert bench.store.contents[item.ref][4:8] == b"ftyp"
    assert bench.is_acknowledged


def test_a_clip_is_made_when_its_end_has_come_and_not_before(bench: Bench) -> None:
    bench.rings["gate"] = ring_of(walker_path(), is_over=False)
    bench.ask(end_s=8.0)

    bench.service.step()
    assert bench.answers == []
    assert not bench.is_acknowledged
    bench.rings["gate"].end_run()
    bench.service.step()

    assert len(bench.answers) == 1


def test_a_stream_that_stalled_gives_what_there_is(bench: Bench) -> None:
    bench.rings["gate"] = ring_of(walker_path(), is_over=False)
    bench.ask(end_s=8.0)
    bench.service.step()

    bench.clock.advance(18.0)
    bench.service.step()

    assert bench.answers[0].ref


def test_what_the_ring_no_longer_holds_is_answered_with_a_problem(bench: Bench) -> None:
    bench.rings["gate"] = ring_of(walker_path())
    bench.ask(run_id="before")

    bench.service.step()

    [item] = bench.answers
    assert item.ref == ""
    assert "no video of run before is kept" in item.problem
    assert bench.is_acknowledged


class RingMaskedMeanwhile(ClipRing):
    """Has a mask as soon as somebody has cut a clip from it."""

    def cover(self, run_id: str, starts_at: datetime, ends_at: datetime) -> Footage:
        footage = super().cover(run_id, starts_at, ends_at)
        self.mask((WINDOW,))
        return footage


def test_a_mask_that_is_drawn_while_a_clip_is_made_covers_it(bench: Bench) -> None:
    ring = ring_of(walker_path())
    ring.__class__ = RingMaskedMeanwhile
    bench.rings["gate"] = ring
    bench.ask()

    bench.service.step()

    [item] = bench.answers
    ring.mask(())
    assert bench.store.contents[item.ref] == make_clip(
        replace(
            ring.cover("run1", START + timedelta(seconds=1), START + timedelta(seconds=3)),
            masks=(WINDOW,),
        )
    )


def test_a_full_store_is_answered_with_a_problem(bench: Bench) -> None:
    bench.rings["gate"] = ring_of(walker_path())
    bench.store.is_full = True
    bench.ask()

    bench.service.step()

    assert "told to be full" in bench.answers[0].problem


def test_a_request_for_a_camera_held_elsewhere_is_passed_on_and_not_lost(bench: Bench) -> None:
    bench.ask()
    bench.service.step()
    bench.clock.advance(1.0)
    bench.service.step()
    assert bench.answers == []

    bench.rings["gate"] = ring_of(walker_path())
    bench.new_service().step()

    assert bench.answers[0].ref
    assert bench.is_acknowledged


def test_requests_are_passed_on_slowly(bench: Bench) -> None:
    bench.ask()
    for _ in range(50):
        bench.service.step()
        bench.clock.advance(0.1)

    assert len(bench.queue.payloads(CLIPS)) <= 6


def test_a_request_that_nobody_can_serve_is_answered_after_a_minute(bench: Bench) -> None:
    bench.ask(end_s=3.0)
    for _ in range(70):
        bench.service.step()
        bench.clock.advance(1.0)

    [item] = bench.answers
    assert item.problem == "no ingestor held camera gate to make a clip"
    assert bench.is_acknowledged


def test_a_request_stays_unacknowledged_until_its_answer_is_published(bench: Bench) -> None:
    bench.rings["gate"] = ring_of(walker_path())
    bench.ask()
    bench.queue.failures = 1

    with pytest.raises(TransportUnavailable):
        bench.service.step()
    assert not bench.is_acknowledged
    bench.service.step()

    assert len(bench.answers) == 1
    assert bench.is_acknowledged


def test_a_request_that_cannot_be_read_does_not_stop_the_others(bench: Bench) -> None:
    bench.rings["gate"] = ring_of(walker_path())
    bench.queue.publish(CLIPS, item_id="cr_0", payload=b"{}")
    bench.ask()

    bench.service.step()

    assert len(bench.answers) == 1
    assert bench.is_acknowledged


def test_the_loop_waits_for_a_queue_that_is_away_and_stops_when_told() -> None:
    bench, stop = Bench(), threading.Event()
    bench.clock = SystemClock()  # type: ignore[assignment]  # the loop really waits here
    bench.rings["gate"] = ring_of(walker_path())
    bench.ask()
    bench.queue.is_down = True
    loop = threading.Thread(target=bench.new_service().run, args=(stop,))
    loop.start()

    bench.queue.is_down = False
    for _ in range(100):
        if bench.answers:
            break
        stop.wait(0.05)
    stop.set()
    loop.join(5)

    assert len(bench.answers) == 1
    assert not loop.is_alive()


class RingsMaskedMeanwhile(EvidenceRing):
    """The same of two streams."""

    def cover(self, run_id: str, starts_at: datetime, ends_at: datetime) -> Footage:
        footage = super().cover(run_id, starts_at, ends_at)
        self.mask((WINDOW,))
        return footage


def ring_of_two(*, main_groups: int) -> EvidenceRing:
    """A sub-stream 160 pixels wide, and the first groups, a second each, of a main one of 640."""
    ring = EvidenceRing(keep_s=1000.0)
    ring.expect_main()
    ring._segments.extend(ring_of(walker_path(WalkerClip(width=160, height=90)))._segments)
    if main_groups:
        [main] = ring_of(walker_path(WalkerClip(width=640, height=360)))._segments
        main.groups = deque(list(main.groups)[:main_groups])
        ring.main._segments.append(main)
    return ring


@pytest.mark.parametrize(
    ("main_groups", "of_still", "width", "of_clip"),
    [
        pytest.param(9, "main", 640, "main", id="the main stream was there"),
        pytest.param(2, "main", 640, "sub", id="it went after the moment"),
        pytest.param(1, "sub", 160, "sub", id="it went before"),
        pytest.param(0, "sub", 160, "sub", id="it never came"),
    ],
)
def test_clip_and_still_say_which_stream_they_are_of(
    bench: Bench, main_groups: int, of_still: str, width: int, of_clip: str
) -> None:
    bench.rings["gate"] = ring_of_two(main_groups=main_groups)
    bench.ask(end_s=3.8, still_s=1.2)

    bench.service.step()

    still, clip = bench.answers
    assert (still.kind, still.stream) == (EvidenceKind.STILL, of_still)
    assert (clip.kind, clip.stream) == (EvidenceKind.CLIP, of_clip)
    pixels = cv2.imdecode(np.frombuffer(bench.store.contents[still.ref], np.uint8), 1)
    assert pixels is not None
    assert pixels.shape[1] == width


@pytest.mark.parametrize("main_groups", [2, 9])
def test_a_mask_that_is_drawn_meanwhile_covers_the_still_of_either_stream(
    bench: Bench, main_groups: int
) -> None:
    ring = ring_of_two(main_groups=main_groups)
    at = START + timedelta(seconds=1.2)
    plain = ring.cover("run1", at, at)
    ring.__class__ = RingsMaskedMeanwhile
    bench.rings["gate"] = ring
    bench.ask(end_s=3.8, still_s=1.2)

    bench.service.step()

    still, _ = bench.answers
    assert plain.stream == still.stream == "main"
    assert bench.store.contents[still.ref] == make_still(replace(plain, masks=(WINDOW,)), at)[0]
    assert bench.store.contents[still.ref] != make_still(plain, at)[0]


def test_a_still_comes_before_its_clip(bench: Bench) -> None:
    bench.rings["gate"] = ring_of(walker_path())
    bench.ask(still_s=2.2)

    bench.service.step()

    still, clip = bench.answers
    assert (still.kind, clip.kind) == (EvidenceKind.STILL, EvidenceKind.CLIP)
    assert still.captured_at == START + timedelta(seconds=2)
    assert bench.store.contents[still.ref][:2] == b"\xff\xd8"
    assert still.frame_id == ""
    assert bench.is_acknowledged


def test_a_still_that_cannot_be_made_says_why_beside_the_clip(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise EvidenceMissing("told to fail")

    monkeypatch.setattr("ingest.clip_service.make_still", fail)
    bench.rings["gate"] = ring_of(walker_path())
    bench.ask(still_s=2.2)

    bench.service.step()

    still, clip = bench.answers
    assert (still.ref, still.problem) == ("", "told to fail")
    assert clip.ref


def test_a_mask_that_is_drawn_while_a_still_is_made_covers_it(bench: Bench) -> None:
    ring = ring_of(walker_path())
    ring.__class__ = RingMaskedMeanwhile
    bench.rings["gate"] = ring
    bench.ask(still_s=2.0)

    bench.service.step()

    still, _ = bench.answers
    plain = ring_of(walker_path()).cover("run1", START, START + timedelta(seconds=3))
    at = START + timedelta(seconds=2)
    assert bench.store.contents[still.ref] == make_still(replace(plain, masks=(WINDOW,)), at)[0]
    assert bench.store.contents[still.ref] != make_still(plain, at)[0]


def test_without_video_there_is_one_problem_and_not_two(bench: Bench) -> None:
    bench.rings["gate"] = ring_of(walker_path())
    bench.ask(run_id="before", still_s=2.0)

    bench.service.step()

    assert [item.kind for item in bench.answers] == [EvidenceKind.CLIP]
