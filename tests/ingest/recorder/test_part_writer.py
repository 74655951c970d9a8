import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import pytest

from contracts.errors import EvidenceMissing
from ingest.clip_ring import Stretch
from ingest.clip_template import ClipTemplate
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.part_writer import PartWriter
from ingest.recorder.parts import Part
from ingest.recorder.retention import Limits
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START, ManualClock
from tests.fakes.masked import LEFT
from tests.fakes.mp4_parts import whole_parts
from tests.ingest.recorder.stretches import pictures_of, stretches_of
from tests.ingest.recordings import Shot, write
from tests.ingest.test_masked_clips import is_grey


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return RecordingFolder(tmp_path, clock=ManualClock(), limits=Limits(days=7.0))


def write_part(folder: RecordingFolder, *stretches: Stretch) -> tuple[Part, Path]:
    file = folder.begin("gate", stretches[0].footage.starts_at)
    try:
        writer = PartWriter(file, stretches[0])
        for stretch in stretches:
            writer.add(stretch)
        part = writer.publish()
    finally:
        file.leave()
    return part, folder.path_of(part)


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv"])
def test_what_the_camera_sent_is_in_the_part(
    folder: RecordingFolder, suffix: str, b_frames: int
) -> None:
    clip = WalkerClip(b_frames=b_frames)
    stretches = stretches_of(walker_path(clip, suffix=suffix))

    part, path = write_part(folder, *stretches)

    content = path.read_bytes()
    sent = [packet for stretch in stretches for packet in stretch.footage.packets]
    assert hashlib.sha256(content).hexdigest() == part.digest
    assert (
        sum(len(packet.content) for packet in sent)
        <= len(content)
        < 2 * sum(len(packet.content) for packet in sent) + 9000
    )
    pictures = pictures_of(path)
    assert len(pictures) == len(sent)
    assert [picture.time for picture in pictures] == pytest.approx(
        [index / clip.fps for index in range(len(sent))], abs=0.002
    )
    assert part.duration_s == pytest.approx(4.0, abs=0.11)


def test_the_packets_are_those_of_the_camera(folder: RecordingFolder) -> None:
    stretches = stretches_of(walker_path(suffix=".ts"))
    _, path = write_part(folder, *stretches)

    with av.open(str(path)) as container:
        copied = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    sent = [packet.content for stretch in stretches for packet in stretch.footage.packets]
    assert [len(packet) for packet in copied] == pytest.approx([len(p) for p in sent], abs=16)


def test_a_part_is_made_of_fragments_of_a_second(folder: RecordingFolder) -> None:
    _, path = write_part(folder, *stretches_of(walker_path()))

    assert len(whole_parts(path.read_bytes())) >= 4


def test_pictures_that_refer_to_the_part_before_are_left_out(folder: RecordingFolder) -> None:
    first, second, *_ = stretches_of(walker_path())
    early = replace(
        second.footage.packets[1], stream_s=second.begins_s - 0.05
    )  # an open group: shown before its key frame
    footage = replace(second.footage, packets=(second.footage.packets[0], early))

    _, path = write_part(folder, replace(second, footage=footage))

    assert len(pictures_of(path)) == 1
    assert first.number + 1 == second.number


def test_only_what_follows_is_taken(folder: RecordingFolder) -> None:
    first, second, third, _ = stretches_of(walker_path())
    writer = PartWriter(folder.begin("gate", START), first)
    writer.add(first)

    assert writer.takes(second, part_s=60.0)
    assert not writer.takes(third, part_s=60.0)
    assert not writer.takes(second, part_s=1.5)
    assert not writer.takes(replace(second, run_id="run2"), part_s=60.0)
    masked = replace(second.footage, masks=(LEFT,))
    assert not writer.takes(replace(second, footage=masked), part_s=60.0)
    writer.leave()


def test_what_masks_cover_is_covered_in_every_picture(folder: RecordingFolder) -> None:
    stretches = stretches_of(walker_path(), LEFT)

    _, path = write_part(folder, *stretches)

    pictures = pictures_of(path)
    assert len(pictures) == 40
    assert all(is_grey(picture, LEFT) for picture in pictures)
    content = path.read_bytes()
    assert not any(
        packet.content[8:] in content for stretch in stretches for packet in stretch.footage.packets
    )


def test_pictures_that_do_not_decode_make_no_part_rather_than_one_that_shows_all(
    folder: RecordingFolder,
) -> None:
    [first, *_] = stretches_of(walker_path(), LEFT)
    broken = tuple(
        replace(packet, content=bytes(len(packet.content))) for packet in first.footage.packets
    )

    with pytest.raises(EvidenceMissing, match="no picture of it can be decoded"):
        write_part(folder, replace(first, footage=replace(first.footage, packets=broken)))


def test_a_codec_that_mp4_does_not_hold_is_said(folder: RecordingFolder, tmp_path: Path) -> None:
    path = write(tmp_path / "vp8.mkv", Shot(), codec="libvpx")
    [first, *_] = stretches_of(path)
    assert isinstance(first.footage.template, ClipTemplate)

    with pytest.raises(EvidenceMissing, match="vp8 video cannot be kept in MP4"):
        write_part(folder, first)


def test_a_late_picture_is_shown_late_rather_than_refused(folder: RecordingFolder) -> None:
    """Pictures of later stretches may be sent further ahead than those of the first."""
    first, second, *_ = stretches_of(walker_path(WalkerClip(b_frames=2), suffix=".ts"))
    packets = list(second.footage.packets)
    gap_s = second.begins_s + 0.45
    moved = [replace(p, stream_s=p.stream_s + 0.5 * (p.stream_s > gap_s)) for p in packets]
    footage = replace(second.footage, packets=tuple(moved))

    _, path = write_part(folder, first, replace(second, footage=footage))

    times = [picture.time or 0.0 for picture in pictures_of(path)]
    assert len(times) == 20
    assert times == sorted(times)
    assert START + timedelta(seconds=1) == second.footage.starts_at
