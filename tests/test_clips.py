import av
import numpy as np
import pytest

from tests.fakes.clips import WalkerClip, walker_path


def test_a_clip_is_h264_with_a_key_frame_each_second() -> None:
    with av.open(str(walker_path())) as container:
        stream = container.streams.video[0]
        keys = [packet.is_keyframe for packet in container.demux(stream) if packet.size]
        assert stream.codec_context.name == "h264"
    assert [index for index, is_key in enumerate(keys) if is_key] == [0, 10, 20, 30]


def test_a_clip_is_made_once() -> None:
    assert walker_path() == walker_path(WalkerClip())
    assert walker_path() != walker_path(WalkerClip(seed=2))


@pytest.mark.parametrize("t_s", [1.0, 2.0, 3.0])
def test_what_differs_from_the_empty_court_lies_in_the_box(t_s: float) -> None:
    clip = WalkerClip()
    empty, walked = clip.picture(0).astype(int), clip.picture(round(t_s * clip.fps)).astype(int)
    rows, columns = np.nonzero(np.abs(walked - empty).max(axis=2) > 25)
    box = clip.box(t_s)
    assert box is not None
    left, top, right, bottom = box
    margin = 0.03
    assert left - margin <= columns.min() / clip.width
    assert columns.max() / clip.width <= right + margin
    assert top - margin <= rows.min() / clip.height
    assert rows.max() / clip.height <= bottom + margin


def test_nobody_is_there_before_and_after() -> None:
    clip = WalkerClip()
    assert clip.box(clip.enter_s - 0.01) is None
    assert clip.box(clip.leave_s) is None
