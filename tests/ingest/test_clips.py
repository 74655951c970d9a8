from datetime import timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from ingest.clip_ring import Footage
from ingest.clips import make_clip
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START
from tests.fakes.mp4_parts import whole_parts
from tests.ingest.recordings import Shot, write
from tests.ingest.rings import ring_of


def footage_of(path: Path, *, start_s: float, end_s: float) -> Footage:
    start, end = START + timedelta(seconds=start_s), START + timedelta(seconds=end_s)
    return ring_of(path).cover("run1", start, end)


def decoded(content: bytes) -> list[av.VideoFrame]:
    with av.open(BytesIO(content), "r") as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv"])
def test_a_clip_shows_what_the_camera_saw(suffix: str, b_frames: int) -> None:
    clip = WalkerClip(b_frames=b_frames)
    content = make_clip(footage_of(walker_path(clip, suffix=suffix), start_s=1.5, end_s=2.9))

    frames = decoded(content)
    assert len(frames) == pytest.approx(20, abs=1 + b_frames)
    assert [frame.time for frame in frames] == pytest.approx(
        [index / clip.fps for index in range(len(frames))], abs=0.002
    )
    shown = frames[5].to_ndarray(format="bgr24").astype(float)
    assert np.abs(shown - clip.picture(15)).mean() < 6
    assert not any(frame.is_corrupt for frame in frames)


def test_pictures_are_not_encoded_again() -> None:
    footage = footage_of(walker_path(), start_s=1.0, end_s=2.5)

    with av.open(BytesIO(make_clip(footage)), "r") as container:
        kept = [bytes(packet) for packet in container.demux(video=0) if packet.size]

    assert kept == [packet.content for packet in footage.packets]


def test_the_header_stands_before_the_pictures_and_states_the_length() -> None:
    content = make_clip(footage_of(walker_path(), start_s=0.0, end_s=2.9))

    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(BytesIO(content), "r") as container:
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(3.0, abs=0.05)


def test_a_clip_that_was_cut_off_shows_every_second_that_was_written(tmp_path: Path) -> None:
    options = {"x264-params": "keyint=1000:scenecut=0"}
    path = write(tmp_path / "long.ts", Shot(frames=100), fps=20, options=options)
    content = make_clip(footage_of(path, start_s=0.0, end_s=9.0))

    ends = whole_parts(content)
    seen = [len(decoded(content[:end])) for end in ends]

    assert seen[-1] == 100
    assert all(0 < after - before <= 20 for before, after in pairwise([0, *seen]))


def test_a_long_clip_is_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "long.ts", Shot(frames=3000, width=32, height=32), fps=25)

    content = make_clip(footage_of(path, start_s=0.0, end_s=500.0))

    assert len(decoded(content)) == 3000


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    pts = [0, 1, 2, 5, 6, 9, 10, 11, 15, 16]
    path = write(tmp_path / "uneven.mkv", Shot(frames=10), pts=pts)

    content = make_clip(footage_of(path, start_s=0.0, end_s=9.0))

    found = [frame.time for frame in decoded(content)]
    assert found == pytest.approx([at / 10 for at in pts], abs=0.002)


def test_h265_carries_the_tag_that_browsers_want(tmp_path: Path) -> None:
    options = {"preset": "ultrafast", "x265-params": "log-level=none:pools=1:frame-threads=1"}
    path = write(tmp_path / "clip.ts", Shot(frames=8), codec="libx265", options=options)

    content = make_clip(footage_of(path, start_s=0.0, end_s=9.0))

    assert b"hvc1" in content
    assert len(decoded(content)) == 8
