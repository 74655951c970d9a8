import struct
from collections.abc import Iterable

from ingest.sources.rtp_strangers import Strangers

OURS, ANOTHER, THIRD = 7, 8, 9


def interleaved(number: int, *, sender: int = OURS, channel: int = 0, kind: int = 96) -> bytes:
    packet = struct.pack(">BBHII", 0x80, kind, number, 0, sender) + b"$picture"
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet


def passed(strangers: Strangers, senders: Iterable[int]) -> list[tuple[int, int]]:
    """Number and sender of each packet that is passed on, fed one by one."""
    found = []
    for number, sender in enumerate(senders):
        media = strangers.without(interleaved(number, sender=sender))
        while media:
            size = 4 + int.from_bytes(media[2:4], "big")
            found.append((int.from_bytes(media[6:8], "big"), int.from_bytes(media[12:16], "big")))
            media = media[size:]
    return found


def test_what_one_sender_sends_is_passed_on_as_it_is() -> None:
    media = interleaved(1) + b"\r\n" + interleaved(2) + interleaved(3, channel=2, sender=ANOTHER)

    assert Strangers().without(media) is media


def test_packets_of_another_session_between_those_of_ours_are_left_out() -> None:
    strangers = Strangers()
    senders = [OURS, OURS, ANOTHER] * 50

    found = passed(strangers, senders)

    assert found == [(number, sender) for number, sender in enumerate(senders) if sender == OURS]
    assert strangers.left_out == 49  # the last is held


def test_they_are_left_out_of_what_comes_in_one_piece_too() -> None:
    ours, theirs = interleaved(1), interleaved(2, sender=ANOTHER)

    assert Strangers().without(ours + theirs + b"\r\n" + ours) == ours + b"\r\n" + ours


def test_a_stranger_that_comes_first_costs_one_packet_at_most() -> None:
    found = passed(Strangers(), [ANOTHER, *[OURS] * 40])

    assert [number for number, sender in found if sender == OURS] == [*range(1, 41)]


def test_a_camera_that_changes_its_sender_loses_nothing() -> None:
    senders = [OURS] * 100 + [ANOTHER] * 100 + [THIRD] * 100

    assert passed(Strangers(), senders) == [*enumerate(senders)]


def test_of_two_strangers_none_is_taken_with_the_other() -> None:
    found = passed(Strangers(), [*[OURS] * 2, THIRD, *[ANOTHER] * 40])

    assert {sender for _, sender in found} == {OURS, ANOTHER}
    assert [number for number, sender in found if sender == ANOTHER] == [*range(3, 43)]


def test_reports_and_what_is_no_rtp_are_passed_on() -> None:
    strangers = Strangers()
    strangers.without(interleaved(1))
    report = interleaved(2, sender=ANOTHER, kind=200)
    short = b"$\x00\x00\x02\x80\x60"

    assert strangers.without(report + short) == report + short
