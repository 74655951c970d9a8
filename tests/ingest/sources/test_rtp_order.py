import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.rtp_order import HELD_MAX, REORDER_S, START_S, RtpOrder


def rtp(number: int, *, sender: int = 7) -> bytes:
    return struct.pack(">BBHII", 0x80, 96, number % 65_536, 0, sender) + b"x"


def numbers(packets: list[bytes]) -> list[int]:
    return [int.from_bytes(packet[2:4], "big") for packet in packets]


def begun(first: int = 100) -> RtpOrder:
    """An order that has given out four packets from ``first`` on."""
    order = RtpOrder()
    for number in range(first, first + 4):
        order.add(rtp(number), now_s=0.0)
    return order


def add(order: RtpOrder, *wanted: int, now_s: float = 1.0) -> list[int]:
    return [number for each in wanted for number in numbers(order.add(rtp(each), now_s=now_s))]


def test_packets_in_order_are_given_out_at_once() -> None:
    assert add(begun(), 104, 105, 106) == [104, 105, 106]


def test_a_packet_that_was_overtaken_comes_first() -> None:
    assert add(begun(), 105, 106, 104, 107) == [104, 105, 106, 107]


def test_a_double_is_dropped_whenever_it_comes() -> None:
    order = begun()

    assert add(order, 104, 104, 106, 106, 105, 104) == [104, 105, 106]
    assert order.doubled == 3


def test_the_first_packets_are_put_in_order_as_well() -> None:
    assert add(RtpOrder(), 101, 100, 103, 102) == [100, 101, 102, 103]


def test_a_short_stream_begins_without_its_fourth_packet() -> None:
    order = RtpOrder()
    add(order, 101, 100, now_s=1.0)

    assert order.due_s == 1.0 + START_S
    assert numbers(order.release(now_s=1.0 + START_S)) == [100, 101]


def test_a_lost_packet_is_waited_for_and_then_given_up() -> None:
    order = begun()

    assert add(order, 105, 106, now_s=1.0) == []
    assert order.due_s == 1.0 + REORDER_S
    assert order.release(now_s=0.9 + REORDER_S) == []
    assert numbers(order.release(now_s=1.0 + REORDER_S)) == [105, 106]
    assert order.lost == 1
    assert add(order, 104, 107, now_s=1.4) == [107]


def test_so_many_packets_wait_at_most() -> None:
    order = begun()

    found = add(order, *range(105, 105 + HELD_MAX + 1))

    assert found == [*range(105, 105 + HELD_MAX + 1)]


def test_numbers_begin_again() -> None:
    order = begun(65_530)

    assert add(order, 65_535, 0, 65_534, 2, 1) == [65_534, 65_535, 0, 1, 2]
    assert (order.lost, order.doubled) == (0, 0)


@pytest.mark.parametrize("number", [104, 5000])
def test_packets_of_another_sender_are_dropped(number: int) -> None:
    order = begun()

    assert order.add(rtp(number, sender=8), now_s=1.0) == []
    assert add(order, 104) == [104]


def test_a_stream_that_begins_anew_is_followed() -> None:
    order = begun()

    found = [
        number
        for each in range(40_000, 40_030)
        for number in numbers(order.add(rtp(each, sender=8), now_s=1.0))
    ]

    assert found == [*range(40_015, 40_030)]


@pytest.mark.parametrize("datagram", [b"", b"\x80", b"\x17" * 40])
def test_what_is_no_rtp_is_dropped(datagram: bytes) -> None:
    assert begun().add(datagram, now_s=1.0) == []


@given(
    first=st.integers(0, 65_535),
    seed=st.integers(0, 1000),
    reach=st.integers(1, 20),
    doubled=st.floats(0.0, 0.5),
)
def test_whatever_the_network_does_each_packet_is_given_out_once_in_order(
    first: int, seed: int, reach: int, doubled: float
) -> None:
    chance = random.Random(seed)  # noqa: S311  # a test's
    sent = [(first + index) % 65_536 for index in range(300)]
    came = [
        (index + chance.uniform(0, reach), number)
        for index, number in enumerate(sent)
        for _ in range(1 + (chance.random() < doubled))
    ]
    order = RtpOrder()

    found = [
        number for _, each in sorted(came) for number in numbers(order.add(rtp(each), now_s=0.0))
    ]

    # Of the very first, what comes after four others is too late.
    assert found == sent[sent.index(found[0]) :]
    assert sent.index(found[0]) <= reach
