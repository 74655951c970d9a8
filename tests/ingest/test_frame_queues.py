"""What both frame queues promise."""

import threading
from collections.abc import Iterator

import pytest
import redis
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.frames import FrameOutcome, QueuedFrame
from ingest.frame_account import FrameAccount
from tests.ingest.frame_queues import CAPACITY, SETTINGS, Bench, LocalBench, RedisBench, encoded


@pytest.fixture(params=["local", "redis"])
def queue(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "local":
        yield LocalBench(SETTINGS)
        return
    bench = RedisBench(request.getfixturevalue("redis_url"))
    yield bench
    bench.close()


def seqs(taken: list[QueuedFrame]) -> list[int]:
    return [queued.frame.header.seq for queued in taken]


def take_all(queue: Bench, *cameras: str) -> list[QueuedFrame]:
    taken: list[QueuedFrame] = []
    while found := queue.take(cameras or ("gate",), timeout_s=0.01):
        taken += found
    return taken


def test_a_frame_arrives_as_it_was_put(queue: Bench) -> None:
    frame = encoded(7)
    queue.put(frame)

    [queued] = queue.take(["gate"], timeout_s=1.0)

    assert queued.frame.header == frame.header
    assert queued.frame.jpeg == frame.jpeg


def test_frames_come_oldest_first_and_once(queue: Bench) -> None:
    for seq in range(3):
        queue.put(encoded(seq))

    assert seqs(take_all(queue)) == [0, 1, 2]
    assert queue.take(["gate"], timeout_s=0.01) == []


def test_a_reader_sees_only_the_cameras_that_it_asks_for(queue: Bench) -> None:
    queue.put(encoded(1, camera_id="gate"))
    queue.put(encoded(2, camera_id="yard"))

    assert seqs(take_all(queue, "yard")) == [2]
    assert seqs(take_all(queue, "yard", "gate")) == [1]


def test_an_empty_queue_is_waited_for(queue: Bench) -> None:
    taken: list[QueuedFrame] = []
    waiting = threading.Thread(
        target=lambda: taken.extend(queue.take(["gate", "yard"], timeout_s=20.0))
    )
    waiting.start()

    queue.put(encoded(5, camera_id="yard"))
    waiting.join(10)

    assert seqs(taken) == [5]


def test_asking_for_no_camera_returns_nothing(queue: Bench) -> None:
    assert queue.take([], timeout_s=0.01) == []


def test_a_full_queue_drops_the_oldest_and_counts_them(queue: Bench) -> None:
    for seq in range(CAPACITY + 3):
        queue.put(encoded(seq))

    assert seqs(take_all(queue)) == [3, 4, 5, 6]
    assert queue.account("gate") == FrameAccount(
        received=CAPACITY + 3, queued=CAPACITY, outcomes={"queue_full": 3}
    )


def test_a_settled_frame_is_counted_once(queue: Bench) -> None:
    queue.put(encoded(0))
    [queued] = queue.take(["gate"], timeout_s=1.0)

    assert queue.settle(queued, FrameOutcome.ANALYSED)
    assert not queue.settle(queued, FrameOutcome.GATED)

    assert queue.account("gate") == FrameAccount(received=1, outcomes={"analysed": 1})


def test_a_frame_pushed_out_while_it_was_analysed_stays_counted_as_lost(queue: Bench) -> None:
    queue.put(encoded(0))
    [slow] = queue.take(["gate"], timeout_s=1.0)
    for seq in range(1, CAPACITY + 1):
        queue.put(encoded(seq))

    assert not queue.settle(slow, FrameOutcome.ANALYSED)
    assert queue.account("gate").outcomes == {"queue_full": 1}


def test_a_new_reader_sees_again_what_a_killed_one_had_in_hands(queue: Bench) -> None:
    for seq in range(3):
        queue.put(encoded(seq))
    first, *_ = take_all(queue)
    queue.settle(first, FrameOutcome.ANALYSED)

    queue.kill_reader()

    assert seqs(take_all(queue)) == [1, 2]
    assert queue.account("gate").is_balanced


def test_pictures_that_became_no_frame_are_counted_apart(queue: Bench) -> None:
    queue.count_unqueued("gate", skipped=4, corrupt=1)
    queue.count_unqueued("gate", skipped=1)
    queue.put(encoded(0))

    account = queue.account("gate")

    assert (account.received, account.skipped, account.corrupt) == (1, 5, 1)
    assert account.is_balanced


def test_the_account_of_an_unknown_camera_is_empty(queue: Bench) -> None:
    assert queue.account("nowhere") == FrameAccount()


def test_cameras_have_accounts_of_their_own(queue: Bench) -> None:
    queue.put(encoded(0, camera_id="gate"))

    assert queue.account("yard") == FrameAccount()


class Accounting(RuleBasedStateMachine):
    """However put, take, settle and kills follow each other: nothing is lost from the account."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = self.make()
        self.received = {"gate": 0, "yard": 0}
        self.in_hands: list[QueuedFrame] = []
        self.settled = {"gate": 0, "yard": 0}

    def make(self) -> Bench:
        return LocalBench(SETTINGS)

    @rule(camera_id=st.sampled_from(["gate", "yard"]), count=st.integers(1, 7))
    def put(self, camera_id: str, count: int) -> None:
        for _ in range(count):
            self.queue.put(encoded(self.received[camera_id], camera_id=camera_id))
            self.received[camera_id] += 1

    @rule()
    def take(self) -> None:
        self.in_hands += self.queue.take(["gate", "yard"], timeout_s=0.0)

    @precondition(lambda self: self.in_hands)
    @rule(outcome=st.sampled_from(list(FrameOutcome)), which=st.integers(0, 1000))
    def settle(self, outcome: FrameOutcome, which: int) -> None:
        queued = self.in_hands.pop(which % len(self.in_hands))
        if self.queue.settle(queued, outcome):
            self.settled[queued.frame.header.camera_id] += 1

    @rule()
    def kill_reader(self) -> None:
        self.queue.kill_reader()

    @rule(camera_id=st.sampled_from(["gate", "yard"]))
    def skip(self, camera_id: str) -> None:
        self.queue.count_unqueued(camera_id, skipped=1)

    @invariant()
    def balanced(self) -> None:
        for camera_id, received in self.received.items():
            account = self.queue.account(camera_id)
            assert account.is_balanced
            assert account.received == received
            assert account.queued <= CAPACITY
            assert account.settled >= self.settled[camera_id]


def test_the_local_account_is_balanced_whatever_happens() -> None:
    run_state_machine_as_test(
        Accounting,
        settings=hypothesis_settings(max_examples=30, stateful_step_count=30, deadline=None),
    )


def test_the_account_on_redis_is_balanced_whatever_happens(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    benches: list[RedisBench] = []

    class RedisAccounting(Accounting):
        def make(self) -> Bench:
            client.flushall()
            benches.append(RedisBench(redis_url))
            return benches[-1]

        def teardown(self) -> None:
            benches.pop().close()

    run_state_machine_as_test(
        RedisAccounting,
        settings=hypothesis_settings(max_examples=15, stateful_step_count=25, deadline=None),
    )
    client.close()
