from fractions import Fraction

import av
import numpy as np
import pytest

from ingest.sources import opus
from ingest.sources.opus import opus_duration_s, opus_stream


@pytest.mark.parametrize("frame_ms", ["2.5", "10", "20", "60", "120"])
def test_a_packet_says_how_long_it_is(frame_ms: str) -> None:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = 48_000, "s16", "mono"
    encoder.options = {"frame_duration": frame_ms}
    encoder.open()
    size = encoder.frame_size
    samples = np.zeros((1, size), np.int16)
    packets = []
    for index in range(4):
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, index * size, Fraction(1, 48_000)
        packets += encoder.encode(frame)

    assert packets
    assert {opus_duration_s(bytes(packet)) for packet in packets} == {float(frame_ms) / 1000}


@pytest.mark.parametrize(
    ("packet", "duration_s"),
    [
        pytest.param(b"", 0.0, id="nothing"),
        pytest.param(b"\x09\x00", 0.04, id="two frames of 20 ms of SILK"),
        pytest.param(b"\x78\x00", 0.02, id="one hybrid frame"),
        pytest.param(b"\xfb\x03", 0.06, id="three frames of 20 ms of CELT"),
        pytest.param(b"\xfb", 0.0, id="a count that is not there"),
        pytest.param(b"\xfb\x3f", 0.0, id="more than 120 ms, which no packet may be"),
    ],
)
def test_what_no_encoder_here_makes(packet: bytes, duration_s: float) -> None:
    assert opus_duration_s(packet) == pytest.approx(duration_s)


def test_the_stream_says_what_a_container_needs_to_know() -> None:
    context = opus_stream().codec_context

    assert context.codec.canonical_name == "opus"
    assert (context.sample_rate, context.layout.nb_channels) == (48_000, 2)
    assert bytes(context.extradata or b"").startswith(b"OpusHead")


def test_a_head_too_long_for_its_length_is_not_written_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opus, "_HEAD", bytes(127))

    with pytest.raises(ValueError, match="element 63a2 has 127 bytes; wanted: 126 at most"):
        opus_stream()
