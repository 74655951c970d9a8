"""What only the queue on Redis can get wrong: the network, and Redis itself."""

import contextlib
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from api.transport.redis_server import EmbeddedRedis
from contracts.clock import SystemClock
from contracts.errors import ConfigError, TransportUnavailable
from contracts.frames import FrameOutcome
from ingest.frame_queue import RedisFrameQueue
from tests.fakes.clock import ManualClock
from tests.ingest.frame_queues import SETTINGS, encoded

NOWHERE = "unix:///nonexistent/redis.sock"


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A Redis that the test may stop."""
    server = EmbeddedRedis(tmp_path / "r", clock=SystemClock())
    server.start()
    yield server
    server.stop()


def opened(url: str, clock: ManualClock | None = None) -> RedisFrameQueue:
    return RedisFrameQueue(url, settings=SETTINGS, clock=clock or ManualClock())


def test_the_keys_of_a_camera_share_a_hash_tag(redis_url: str) -> None:
    queue = opened(redis_url)
    queue.put(encoded(0))
    client = redis.Redis.from_url(redis_url)

    assert {b"vigil:{gate}:frames", b"vigil:{gate}:account"} <= set(client.keys())
    client.close()
    queue.close()


def test_frames_that_redis_could_not_take_are_in_the_account_when_it_is_back(
    own_redis: EmbeddedRedis,
) -> None:
    clock = ManualClock()
    queue = opened(own_redis.url, clock)
    queue.put(encoded(0))
    own_redis.stop()

    for seq in range(1, 6):
        queue.put(encoded(seq))
    queue.count_unqueued("gate", skipped=3)
    own_redis.start()
    clock.advance(10.0)
    queue.put(encoded(6))

    account = queue.account("gate")
    queue.close()
    assert account.received == 7
    assert account.outcomes == {"queue_unavailable": 5}
    assert (account.queued, account.skipped) == (2, 3)


def test_counts_reach_redis_without_a_further_frame(own_redis: EmbeddedRedis) -> None:
    """A camera that went away while Redis did must not leave its losses unsaid."""
    clock = ManualClock()
    queue = opened(own_redis.url, clock)
    own_redis.stop()
    queue.put(encoded(0))
    own_redis.start()

    clock.advance(10.0)
    queue.count_unqueued("gate")

    account = queue.account("gate")
    queue.close()
    assert (account.received, account.outcomes) == (1, {"queue_unavailable": 1})


def test_a_redis_that_is_away_is_not_asked_for_every_frame() -> None:
    clock = ManualClock()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        queue = opened(f"redis://127.0.0.1:{listener.getsockname()[1]}/0", clock)
        listener.close()
        started_s = time.monotonic()
        for seq in range(500):
            queue.put(encoded(seq))

    assert time.monotonic() - started_s < 15.0


def test_a_frozen_redis_holds_up_ingest_for_its_time_out_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        queue = opened(f"redis://127.0.0.1:{frozen.getsockname()[1]}/0")
        started_s = time.monotonic()
        for seq in range(20):
            queue.put(encoded(seq))
        took_s = time.monotonic() - started_s
        queue.close()

    assert 1.5 < took_s < 15.0


def test_a_camera_for_which_no_file_descriptor_is_left_does_not_stop_the_others(
    redis_url: str,
) -> None:
    queue = opened(redis_url)
    queue.put(encoded(0))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir()) + 1

    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now, hard))
    held = []
    try:
        with contextlib.suppress(OSError):
            while True:  # those in between that are free
                held.append(os.dup(0))
        queue.put(encoded(0, camera_id="late"))
        queue.put(encoded(1))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in held:
            os.close(descriptor)

    account = queue.account("gate")
    assert (account.received, account.queued) == (2, 2)
    assert queue.account("late").received == 0
    queue.close()


def test_more_cameras_than_a_client_of_redis_has_connections_by_default(redis_url: str) -> None:
    queue = opened(redis_url)

    names = [f"cam{index}" for index in range(120)]
    for name in names:
        queue.put(encoded(0, camera_id=name))

    assert all(queue.account(name).queued == 1 for name in names)
    queue.close()


class LosingAnswers:
    """Stands between client and Redis; loses the next ``to_lose`` answers and their connections."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self.to_lose = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._target)
            server.settimeout(0.05)
            client.settimeout(0.05)
            while True:
                try:
                    sent = client.recv(1 << 20)
                    if not sent:
                        return
                    server.sendall(sent)
                except TimeoutError:
                    pass
                try:
                    answer = server.recv(1 << 20)
                except TimeoutError:
                    continue
                if self.to_lose:
                    self.to_lose -= 1
                    return
                client.sendall(answer)

    def close(self) -> None:
        self._listener.close()


@pytest.mark.parametrize(
    "to_lose",
    [
        pytest.param(1, id="and the call is repeated at once"),
        pytest.param(9, id="and the connection as well"),
    ],
)
def test_a_frame_whose_answer_was_lost_is_not_counted_twice(
    own_redis: EmbeddedRedis, to_lose: int
) -> None:
    network = LosingAnswers(own_redis.url.removeprefix("unix://"))
    clock = ManualClock()
    queue, direct = opened(network.url, clock), opened(own_redis.url)
    queue.put(encoded(0))

    network.to_lose = to_lose
    queue.put(encoded(1))
    network.to_lose = 0
    clock.advance(10.0)
    queue.put(encoded(2))

    account = direct.account("gate")
    queue.close()
    direct.close()
    network.close()
    assert (account.received, account.queued, account.outcomes) == (3, 3, {})


def test_the_account_goes_on_with_another_writer(redis_url: str) -> None:
    first, second = opened(redis_url), opened(redis_url)
    first.put(encoded(0))
    second.put(encoded(0, run_id="run2"))
    first.put(encoded(1))

    account = first.account("gate")
    first.close()
    second.close()
    assert (account.received, account.queued, account.outcomes) == (3, 3, {})


def test_an_entry_that_cannot_be_read_is_settled_and_the_rest_goes_on(redis_url: str) -> None:
    queue = opened(redis_url)
    queue.put(encoded(0))
    client = redis.Redis.from_url(redis_url)
    client.xadd("vigil:{gate}:frames", {"header": b"{}", "jpeg": b""})
    client.hincrby("vigil:{gate}:account", "received", 1)
    client.close()
    queue.put(encoded(1))

    taken = queue.take(["gate"], timeout_s=1.0)

    account = queue.account("gate")
    queue.close()
    assert [queued.frame.header.seq for queued in taken] == [0, 1]
    assert account.outcomes == {"decode_error": 1}
    assert account.is_balanced


def test_a_redis_without_memory_refuses_and_every_frame_is_still_accounted_for(
    own_redis: EmbeddedRedis,
) -> None:
    clock = ManualClock()
    queue = opened(own_redis.url, clock)
    queue.put(encoded(0))
    client = redis.Redis.from_url(own_redis.url)
    client.config_set("maxmemory", "1")
    queue.put(encoded(1))
    client.config_set("maxmemory", "0")
    client.close()
    clock.advance(10.0)

    queue.put(encoded(2))

    account = queue.account("gate")
    queue.close()
    assert account.received == 3
    assert account.outcomes == {"queue_unavailable": 1}
    assert account.is_balanced


def test_readers_are_told_that_redis_is_away(redis_url: str) -> None:
    queue, lost = opened(redis_url), opened(NOWHERE)
    queue.put(encoded(0))
    [queued] = queue.take(["gate"], timeout_s=1.0)

    with pytest.raises(TransportUnavailable, match="taking frames"):
        lost.take(["gate"], timeout_s=0.1)
    with pytest.raises(TransportUnavailable, match="settling a frame"):
        lost.settle(queued, FrameOutcome.ANALYSED)
    with pytest.raises(TransportUnavailable, match="reading the account"):
        lost.account("gate")
    queue.close()


def test_an_address_of_something_else_is_refused_without_its_password() -> None:
    with pytest.raises(ConfigError, match="redis_url must begin with redis://") as caught:
        opened("http://user:hunter2@host")

    assert "hunter2" not in str(caught.value)
