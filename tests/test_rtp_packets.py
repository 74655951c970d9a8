import struct
from datetime import UTC, datetime
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.clips import WalkerClip, write_walker
from tests.rtp_packets import (
    MAX_PAYLOAD_BYTES,
    RtpSender,
    describe,
    payloads_of,
    read_h264,
    split_annex_b,
)

SHORT = WalkerClip(duration_s=1.0, enter_s=0.0, leave_s=1.0)


def reassembled(payloads: list[bytes]) -> bytes:
    if len(payloads) == 1:
        return payloads[0]
    head = (payloads[0][0] & 0xE0) | (payloads[0][1] & 0x1F)
    return bytes([head]) + b"".join(payload[2:] for payload in payloads)


@given(st.integers(1, 3 * MAX_PAYLOAD_BYTES), st.sampled_from([1, 5, 6, 7]))
def test_fragments_put_together_are_the_nal_unit(size: int, kind: int) -> None:
    nal = bytes([0x60 | kind]) + bytes(index % 251 for index in range(size))
    payloads = payloads_of(nal)
    assert reassembled(payloads) == nal
    assert max(map(len, payloads)) <= MAX_PAYLOAD_BYTES


def test_only_the_first_fragment_starts_and_only_the_last_ends() -> None:
    payloads = payloads_of(b"\x65" + b"\x07" * (3 * MAX_PAYLOAD_BYTES))
    assert [payload[1] >> 6 for payload in payloads] == [0b10, 0b00, 0b00, 0b01]


def test_the_last_packet_of_a_picture_alone_carries_the_marker() -> None:
    sender = RtpSender(ssrc=7, sequence=65535)
    packets = sender.packets([b"\x67abc", b"\x65" + b"\x01" * 2000], timestamp=2**32 + 5)
    heads = [struct.unpack(">BBHII", packet[:12]) for packet in packets]
    assert [head[1] >> 7 for head in heads] == [0, 0, 1]
    assert [head[2] for head in heads] == [65535, 0, 1]
    assert {(head[3], head[4]) for head in heads} == {(5, 7)}


def test_a_report_says_when_its_timestamp_was_current_and_what_was_sent() -> None:
    sender = RtpSender(ssrc=7)
    sender.packets([b"\x65abcd"], timestamp=0)
    report = sender.report(
        sent_at=datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC), timestamp=9000
    )
    words = struct.unpack(">BBHIIIIII", report)
    assert words[1] == 200
    assert words[3:] == (7, 2_208_988_801, 2**31, 9000, 1, 5)


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv", ".h264"])
def test_every_container_gives_the_same_pictures(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"walk{suffix}"
    write_walker(path, SHORT)

    stream = read_h264(path)

    assert [unit.is_key for unit in stream.units] == [True] + [False] * 9
    assert [round(unit.decode_s, 3) for unit in stream.units] == [index / 10 for index in range(10)]
    assert stream.duration_s == pytest.approx(1.0, abs=0.01)
    assert (stream.sps[0] & 0x1F, stream.pps[0] & 0x1F) == (7, 8)


def test_pictures_out_of_order_keep_both_times(tmp_path: Path) -> None:
    write_walker(tmp_path / "b.mp4", WalkerClip(b_frames=2))
    units = read_h264(tmp_path / "b.mp4").units
    shown = [unit.show_s for unit in units]
    assert shown != sorted(shown)
    assert [unit.decode_s for unit in units] == sorted(unit.decode_s for unit in units)


def test_another_codec_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        frame = av.VideoFrame.from_ndarray(SHORT.picture(0), format="bgr24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(ValueError, match=r"wants H\.264, found mpeg4"):
        read_h264(path)


def test_start_codes_of_both_lengths_separate_nal_units() -> None:
    assert list(split_annex_b(b"\x00\x00\x00\x01\x67a\x00\x00\x01\x68b")) == [b"\x67a", b"\x68b"]


def test_the_description_carries_the_parameter_sets(tmp_path: Path) -> None:
    write_walker(tmp_path / "walk.mp4", SHORT)
    sdp = describe(read_h264(tmp_path / "walk.mp4"), host="127.0.0.1")
    assert "packetization-mode=1" in sdp
    assert "sprop-parameter-sets=Z" in sdp
