"""Clips of what privacy masks cover: never a packet as it came, in any order of edits."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from contracts.errors import EvidenceMissing
from contracts.geometry import Zone
from contracts.settings import IngestSettings
from ingest.clip_ring import ClipRing, Footage
from ingest.clip_template import ClipTemplate
from ingest.clips import make_clip
from ingest.evidence_stream import EvidenceRing
from ingest.masks import pixels_of
from ingest.sources.file import open_file
from ingest.sources.stream import StreamReader
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START
from tests.fakes.masked import LEFT
from tests.ingest.recordings import Shot, file_camera, write
from tests.ingest.rings import ring_of

RIGHT = Zone(zone_id="right", polygon=((0.75, 0.0), (1.0, 0.0), (1.0, 1.0), (0.75, 1.0)))
GREY = 96


def footage_of(ring: ClipRing, start_s: float = 0.0, end_s: float = 9.0) -> Footage:
    return ring.cover("run1", START + timedelta(seconds=start_s), START + timedelta(seconds=end_s))


def pictures_of(content: bytes) -> list[av.VideoFrame]:
    with av.open(BytesIO(content), "r") as container:
        return list(container.decode(video=0))


def is_grey(picture: av.VideoFrame, zone: Zone) -> bool:
    """Whether all of a zone is the mask's grey, but for what encoding does to it."""
    luma_HW = pixels_of(picture.planes[0])
    x1, x2 = (round(zone.polygon[corner][0] * picture.width) for corner in (0, 1))
    return bool(np.abs(luma_HW[:, x1:x2].astype(int) - GREY).max() <= 3)


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv"])
def test_every_picture_is_covered_and_else_what_the_camera_saw(suffix: str, b_frames: int) -> None:
    clip = WalkerClip(b_frames=b_frames)
    ring = ring_of(walker_path(clip, suffix=suffix))
    ring.mask((LEFT,))

    pictures = pictures_of(make_clip(footage_of(ring, 1.5, 2.9)))

    assert len(pictures) == pytest.approx(20, abs=1 + b_frames)
    assert [picture.time for picture in pictures] == pytest.approx(
        [index / clip.fps for index in range(len(pictures))], abs=0.002
    )
    assert all(is_grey(picture, LEFT) for picture in pictures)
    shown = pictures[5].to_ndarray(format="bgr24").astype(float)
    assert np.abs(shown - clip.picture(15))[:, 84:].mean() < 6


def test_nothing_that_the_camera_sent_is_in_the_file() -> None:
    ring = ring_of(walker_path())
    ring.mask((LEFT,))
    footage = footage_of(ring)

    content = make_clip(footage)

    assert all(packet.content[8:] not in content for packet in footage.packets)


def test_a_mask_covers_what_came_before_it_as_well() -> None:
    ring = ring_of(walker_path(), is_over=False)
    ring.mask((RIGHT,))

    assert footage_of(ring).masks == (RIGHT,)


def test_what_was_covered_when_it_came_stays_so() -> None:
    """Lifting a mask shows what comes, not what it hid."""
    ring = filled(masks=[(LEFT,), (LEFT,), (), ()])

    assert footage_of(ring, 0.0, 1.5).masks == (LEFT,)
    assert footage_of(ring, 1.2, 3.9).masks == (LEFT,)
    assert footage_of(ring, 2.2, 3.9).masks == ()


def test_a_mask_that_was_there_in_the_middle_of_a_group_covers_all_of_it() -> None:
    ring = filled(masks=[()])
    ring.mask((LEFT,))
    ring.mask(())

    assert footage_of(ring).masks == (LEFT,)


def test_masks_of_both_ends_of_a_clip_cover_all_of_it() -> None:
    ring = filled(masks=[(LEFT,), (RIGHT,)])

    pictures = pictures_of(make_clip(footage_of(ring)))

    assert all(is_grey(picture, zone) for picture in pictures for zone in (LEFT, RIGHT))


def test_the_main_stream_is_covered_as_well() -> None:
    ring = EvidenceRing(keep_s=60.0)
    main = ring_of(walker_path())
    ring.main = main
    ring.mask((LEFT,))

    assert footage_of(ring).masks == (LEFT,)


def test_pictures_that_do_not_decode_make_no_clip_rather_than_one_that_shows_all() -> None:
    footage = footage_of(ring_of(walker_path()))
    broken = tuple(
        replace(packet, content=bytes(len(packet.content))) for packet in footage.packets
    )

    with pytest.raises(EvidenceMissing, match="no picture of it can be decoded, to be covered"):
        make_clip(replace(footage, packets=broken, masks=(LEFT,)))


def test_sizes_that_h264_does_not_know_are_cut_to_even_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.mkv", Shot(frames=8, width=161, height=121), codec="mjpeg")
    ring = ring_of(path)
    ring.mask((LEFT,))

    pictures = pictures_of(make_clip(footage_of(ring)))

    assert (pictures[0].width, pictures[0].height, len(pictures)) == (160, 120, 8)


def filled(*, masks: list[tuple[Zone, ...]]) -> ClipRing:
    """A ring with as many groups of 1 s of the walker, each come under its masks."""
    opened = open_file(file_camera(walker_path()), IngestSettings())
    reader = StreamReader(opened, camera_id="gate")
    ring = ClipRing(keep_s=60.0)
    ring.begin_run("run1", ClipTemplate(reader.stream))
    ring.anchor(START)
    group = -1
    for unit in reader.units():
        packet = unit.packet
        if packet is None or group + packet.is_key == len(masks):
            break
        group += packet.is_key
        if packet.is_key:
            ring.mask(masks[group])
        ring.add(packet)
    opened.close()
    return ring
