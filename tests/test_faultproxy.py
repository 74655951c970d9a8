import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from tests.faultproxy import HOST, Faults, TcpProxy, UdpProxy

TEXT = bytes(range(256)) * 64


@dataclass
class Speaker:
    """A TCP server that says ``text`` to whoever connects and keeps what it is told."""

    text: bytes = TEXT
    heard: bytearray = field(default_factory=bytearray)
    port: int = 0

    @contextmanager
    def listening(self) -> Iterator["Speaker"]:
        with socket.create_server((HOST, 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
            thread.start()
            yield self
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._speak, args=(client,), daemon=True).start()

    def _speak(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.sendall(self.text)
            while chunk := client.recv(4096):
                self.heard += chunk


@contextmanager
def connected(faults: Faults) -> Iterator[tuple[socket.socket, TcpProxy, Speaker]]:
    with (
        Speaker().listening() as speaker,
        TcpProxy(speaker.port, faults=faults) as proxy,
        socket.create_connection((HOST, proxy.port), timeout=5.0) as client,
    ):
        yield client, proxy, speaker


def received(client: socket.socket, size: int = len(TEXT)) -> bytes:
    content = b""
    with suppress(TimeoutError):
        while len(content) < size and (chunk := client.recv(4096)):
            content += chunk
    return content


def test_a_sound_line_passes_everything_both_ways() -> None:
    with connected(Faults()) as (client, _, speaker):
        assert received(client) == TEXT
        client.sendall(b"thanks")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
        assert bytes(speaker.heard) == b"thanks"


def test_a_delay_and_jitter_keep_the_order_of_a_connection() -> None:
    began_s = time.monotonic()
    with connected(Faults(delay_s=0.1, jitter_s=0.05)) as (client, _, _):
        assert received(client) == TEXT
    assert time.monotonic() - began_s >= 0.1


def test_a_drip_sends_a_byte_at_a_time() -> None:
    with connected(Faults(drip_s=0.05)) as (client, _, _):
        client.settimeout(0.5)
        assert [len(client.recv(100)) for _ in range(3)] == [1, 1, 1]


def test_a_rate_is_kept() -> None:
    began_s = time.monotonic()
    with connected(Faults(rate_bps=8 * len(TEXT) * 2)) as (client, _, _):
        assert received(client) == TEXT
    assert time.monotonic() - began_s >= 0.4


def test_bits_flip_beyond_those_that_are_spared() -> None:
    with connected(Faults(bit_flips=1e-3, skip_bytes=4096)) as (client, _, _):
        content = received(client)
    assert content[:4096] == TEXT[:4096]
    flips = sum((a ^ b).bit_count() for a, b in zip(content, TEXT, strict=True))
    assert flips == pytest.approx(8 * (len(TEXT) - 4096) * 1e-3, rel=0.3)


def test_a_hanging_line_says_nothing_and_goes_on_where_it_hung() -> None:
    with connected(Faults(is_hanging=True)) as (client, proxy, _):
        client.settimeout(0.4)
        with pytest.raises(TimeoutError):
            client.recv(1)
        proxy.faults = Faults()
        client.settimeout(5.0)
        assert received(client) == TEXT


def test_a_reset_is_seen_as_one() -> None:
    with connected(Faults()) as (client, proxy, _):
        received(client)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_half_close_ends_one_way_only() -> None:
    with connected(Faults()) as (client, proxy, speaker):
        received(client)
        proxy.half_close()
        assert client.recv(1) == b""
        client.sendall(b"still here")
        client.shutdown(socket.SHUT_WR)
        for _ in range(100):
            if bytes(speaker.heard) == b"still here":
                break
            time.sleep(0.02)
        assert bytes(speaker.heard) == b"still here"


def test_a_line_may_end_after_so_many_bytes() -> None:
    with connected(Faults(close_after_bytes=5000)) as (client, _, _):
        content = received(client)
    assert 5000 <= len(content) < len(TEXT)
    assert TEXT.startswith(content)


def test_nobody_behind_the_proxy_closes_the_connection() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    with TcpProxy(port) as proxy, socket.create_connection((HOST, proxy.port)) as client:
        client.settimeout(5.0)
        assert client.recv(1) == b""


@contextmanager
def datagrams(faults: Faults) -> Iterator[tuple[socket.socket, socket.socket, UdpProxy]]:
    """A sender, a receiver, and the proxy between them."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind((HOST, 0))
        receiver.settimeout(0.5)
        with UdpProxy(receiver.getsockname(), faults=faults) as proxy:
            sender.connect((HOST, proxy.port))
            sender.settimeout(2.0)
            yield sender, receiver, proxy


def send_numbers(sender: socket.socket, receiver: socket.socket, numbers: int) -> list[int]:
    for number in range(numbers):
        sender.send(number.to_bytes(4, "big"))
        time.sleep(0.001)
    found = []
    with suppress(TimeoutError):
        while True:
            found.append(int.from_bytes(receiver.recv(100), "big"))
    return found


def test_sound_datagrams_arrive_in_order_and_answers_find_back() -> None:
    with datagrams(Faults()) as (sender, receiver, proxy):
        assert send_numbers(sender, receiver, 50) == list(range(50))
        receiver.sendto(b"answer", (HOST, proxy.port))
        assert sender.recv(100) == b"answer"


def test_datagrams_are_lost_by_share() -> None:
    with datagrams(Faults(loss=0.2)) as (sender, receiver, proxy):
        found = send_numbers(sender, receiver, 300)
    assert len(found) == pytest.approx(240, abs=30)
    assert proxy.lost_total == 300 - len(found)


def test_datagrams_are_doubled_and_overtaken() -> None:
    with datagrams(Faults(duplicated=0.2, reordered=0.2)) as (sender, receiver, _):
        found = send_numbers(sender, receiver, 200)
    assert len(found) > 210
    assert set(found) == set(range(200))
    assert found != sorted(found)


def test_a_hanging_line_loses_datagrams() -> None:
    with datagrams(Faults(is_hanging=True)) as (sender, receiver, _):
        assert send_numbers(sender, receiver, 5) == []


def test_no_thread_is_left_behind() -> None:
    before = set(threading.enumerate())
    with connected(Faults(delay_s=0.01)) as (client, _, _):
        received(client)
    with datagrams(Faults()) as (sender, receiver, _):
        send_numbers(sender, receiver, 3)
    time.sleep(0.1)
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert [thread.name for thread in left if thread.name == "faultproxy"] == []
