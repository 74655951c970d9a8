import struct
from datetime import UTC, datetime

from tests.rtp_packets import RtpSender, split_annex_b


def test_packets_are_numbered_and_wrap() -> None:
    sender = RtpSender(ssrc=7, sequence=65535)
    packets = [
        sender.packet(b"ab", payload_type=96, timestamp=2**32 + 5, has_marker=is_last)
        for is_last in (False, True)
    ]
    heads = [struct.unpack(">BBHII", packet[:12]) for packet in packets]
    assert [head[1] for head in heads] == [96, 96 | 0x80]
    assert [head[2] for head in heads] == [65535, 0]
    assert {(head[3], head[4]) for head in heads} == {(5, 7)}


def test_a_report_says_when_its_timestamp_was_current_and_what_was_sent() -> None:
    sender = RtpSender(ssrc=7)
    sender.packet(b"\x65abcd", payload_type=96, timestamp=0, has_marker=True)
    report = sender.report(
        sent_at=datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC), timestamp=9000
    )
    words = struct.unpack(">BBHIIIIII", report)
    assert words[1] == 200
    assert words[3:] == (7, 2_208_988_801, 2**31, 9000, 1, 5)


def test_start_codes_of_both_lengths_separate_nal_units() -> None:
    assert list(split_annex_b(b"\x00\x00\x00\x01\x67a\x00\x00\x01\x68b")) == [b"\x67a", b"\x68b"]
