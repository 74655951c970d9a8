from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from contracts.errors import EvidenceMissing
from contracts.geometry import Zone
from ingest.clip_ring import Footage
from ingest.stills import make_still
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START
from tests.fakes.masked import LEFT, is_covered
from tests.ingest.recordings import Shot, write
from tests.ingest.rings import ring_of


def footage_of(path: Path, *masks: Zone) -> Footage:
    ring = ring_of(path)
    ring.mask(masks)
    return ring.cover("run1", START, START + timedelta(seconds=9))


def pixels_of(jpeg: bytes) -> npt.NDArray[np.uint8]:
    pixels_HW3 = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels_HW3 is not None
    return np.asarray(pixels_HW3, np.uint8)


def at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("moment_s", "key_s"), [(0.0, 0.0), (1.4, 1.0), (1.6, 2.0), (-5.0, 0.0), (60.0, 3.0)]
)
def test_it_is_the_key_frame_nearest_to_the_moment(moment_s: float, key_s: float) -> None:
    clip = WalkerClip()

    content, captured_at = make_still(footage_of(walker_path(clip)), START + at(moment_s))

    assert captured_at - START == pytest.approx(at(key_s), abs=at(0.001))
    wanted_HW3 = clip.picture(round(key_s * clip.fps)).astype(float)
    assert np.abs(pixels_of(content) - wanted_HW3).mean() < 6


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mjpeg", "libvpx-vp9"])
def test_it_has_the_size_of_the_source(tmp_path: Path, codec: str) -> None:
    suffix = ".mp4" if codec.startswith("libx") else ".mkv"
    path = write(tmp_path / f"big{suffix}", Shot(frames=8, width=1282, height=722), codec=codec)

    content, _ = make_still(footage_of(path), START)

    assert pixels_of(content).shape == (722, 1282, 3)


def test_what_masks_cover_is_covered() -> None:
    content, _ = make_still(footage_of(walker_path(), LEFT), START + at(2))

    assert is_covered(content)


def test_a_key_frame_that_arrived_damaged_gives_way_to_its_neighbour() -> None:
    footage = footage_of(walker_path())
    packets = [
        replace(packet, content=bytes(len(packet.content)))
        if packet.is_key and abs(packet.stream_s - footage.packets[0].stream_s - 1.0) < 0.01
        else packet
        for packet in footage.packets
    ]

    _, captured_at = make_still(replace(footage, packets=tuple(packets)), START + at(1.1))

    assert captured_at - START == pytest.approx(at(2.0), abs=at(0.001))


def test_where_none_decodes_that_is_said() -> None:
    footage = footage_of(walker_path())
    packets = tuple(replace(packet, content=b"\0" * 9) for packet in footage.packets)

    with pytest.raises(EvidenceMissing, match="no key frame near the moment decodes whole"):
        make_still(replace(footage, packets=packets), START)
