"""Sound in clips and recordings: as the camera sent it, at its time, and only where wanted."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import pytest

from contracts.geometry import Zone
from ingest.clip_ring import ClipRing, Footage
from ingest.clips import make_clip
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.part_writer import PartWriter
from ingest.recorder.retention import Limits
from tests.fakes.clock import START, ManualClock
from tests.fakes.masked import LEFT
from tests.ingest.rings import ring_of
from tests.ingest.sounding import TONE, bright_from_to, loud_from_to, write_sounding


def footage_of(ring: ClipRing, start_s: float = 0.0, end_s: float = 9.0) -> Footage:
    return ring.cover("run1", START + timedelta(seconds=start_s), START + timedelta(seconds=end_s))


def clip_of(footage: Footage, tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(make_clip(footage))
    return path


@pytest.mark.parametrize("masks", [(), (LEFT,)], ids=["copied", "masked"])
@pytest.mark.parametrize(
    ("audio", "suffix"), [("aac", ".mp4"), ("aac", ".mkv"), ("libopus", ".mkv")]
)
def test_sound_and_picture_keep_their_time(
    tmp_path: Path, audio: str, suffix: str, masks: tuple[Zone, ...]
) -> None:
    path = write_sounding(tmp_path / f"source{suffix}", audio=audio)
    ring = ring_of(path, has_audio=True)
    ring.mask(masks)

    clip = clip_of(footage_of(ring), tmp_path)

    assert loud_from_to(clip) == pytest.approx(loud_from_to(path), abs=0.05)
    loud, bright = loud_from_to(clip), bright_from_to(clip)
    assert loud == pytest.approx(TONE, abs=0.1)
    assert bright == pytest.approx((TONE[0], TONE[1] - 0.1), abs=0.05)


def test_sound_is_copied_and_not_encoded_again(tmp_path: Path) -> None:
    path = write_sounding(tmp_path / "source.mp4")
    footage = footage_of(ring_of(path, has_audio=True))

    with av.open(str(clip_of(footage, tmp_path))) as container:
        kept = [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    sent = [sound.content for sound in footage.sounds]
    assert len(sent) > 150
    assert set(kept) <= set(sent)
    assert len(kept) == len(sent)


def test_a_clip_from_the_middle_has_the_sound_of_its_time(tmp_path: Path) -> None:
    ring = ring_of(write_sounding(tmp_path / "source.mp4", b_frames=2), has_audio=True)

    clip = clip_of(footage_of(ring, 1.0, 2.5), tmp_path)

    assert loud_from_to(clip) == pytest.approx((0.0, 1.0), abs=0.1)
    assert bright_from_to(clip) == pytest.approx((0.0, 0.9), abs=0.05)


@pytest.mark.parametrize("audio", ["pcm_mulaw", "pcm_alaw"])
def test_what_mp4_cannot_hold_is_said_and_the_clip_made_without(tmp_path: Path, audio: str) -> None:
    ring = ring_of(write_sounding(tmp_path / "source.mov", audio=audio), has_audio=True)
    footage = footage_of(ring)

    with av.open(str(clip_of(footage, tmp_path))) as container:
        assert len(container.streams.audio) == 0
        assert len(list(container.decode(video=0))) == 40
    assert footage.template.audio_problem == (
        f"without sound: MP4 cannot hold {audio} as the camera sends it; set it to AAC"
    )


def test_a_stream_that_does_not_say_its_rate_is_kept_without_sound(tmp_path: Path) -> None:
    ring = ring_of(write_sounding(tmp_path / "source.ts"), has_audio=True)

    with av.open(str(clip_of(footage_of(ring), tmp_path))) as container:
        assert len(list(container.decode(video=0))) == 40
    problem = footage_of(ring).template.audio_problem
    assert problem == "without sound: the stream does not say the rate of its aac"


def test_without_being_told_no_sound_is_kept(tmp_path: Path) -> None:
    footage = footage_of(ring_of(write_sounding(tmp_path / "source.mp4")))

    assert footage.sounds == ()
    assert footage.template.audio_problem == ""
    with av.open(str(clip_of(footage, tmp_path))) as container:
        assert len(container.streams.audio) == 0


def test_a_camera_without_sound_has_no_problem(tmp_path: Path) -> None:
    path = write_sounding(tmp_path / "source.mp4")
    silent = tmp_path / "silent.mp4"
    with av.open(str(path)) as source, av.open(str(silent), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)

    assert footage_of(ring_of(silent, has_audio=True)).template.audio_problem == ""


def test_sound_counts_for_the_memory_that_the_ring_holds(tmp_path: Path) -> None:
    path = write_sounding(tmp_path / "source.mp4")
    with_sound, without = ring_of(path, has_audio=True), ring_of(path)

    sounds = footage_of(with_sound).sounds
    held = with_sound.size_bytes - without.size_bytes
    assert held == pytest.approx(sum(len(sound.content) for sound in sounds), rel=0.05)


def test_a_recording_has_its_sound_from_part_to_part(tmp_path: Path) -> None:
    ring = ring_of(write_sounding(tmp_path / "source.mp4"), has_audio=True)
    stretches = ring.stretches_after(0)
    folder = RecordingFolder(tmp_path / "kept", clock=ManualClock(), limits=Limits(days=7.0))
    kept = 0
    for half in (stretches[:2], stretches[2:]):
        writer = PartWriter(folder.begin("gate", half[0].footage.starts_at), half[0])
        for stretch in half:
            writer.add(stretch)
        path = folder.path_of(writer.publish())
        with av.open(str(path)) as container:
            kept += sum(1 for packet in container.demux(audio=0) if packet.size)

    assert kept == pytest.approx(sum(len(one.footage.sounds) for one in stretches), abs=3)


def test_where_sound_sets_in_a_part_begins(tmp_path: Path) -> None:
    ring = ring_of(write_sounding(tmp_path / "source.mp4"), has_audio=True)
    first, second, *_ = ring.stretches_after(0)
    silent = replace(first, footage=replace(first.footage, sounds=()))
    folder = RecordingFolder(tmp_path / "kept", clock=ManualClock(), limits=Limits(days=7.0))
    writer = PartWriter(folder.begin("gate", START), silent)

    assert not writer.takes(second, part_s=60.0)
    writer.leave()


def test_sound_that_comes_after_the_next_part_has_begun_is_in_its_own(tmp_path: Path) -> None:
    """By WebRTC sound arrives a tenth of a second after its picture."""
    ring = ring_of(write_sounding(tmp_path / "source.mp4"), has_audio=True)
    first, second, *_ = ring.stretches_after(0)
    early, late = first.footage.sounds[:-5], first.footage.sounds[-5:]
    first = replace(first, footage=replace(first.footage, sounds=early))
    sounds = (*late, *second.footage.sounds)
    second = replace(second, footage=replace(second.footage, sounds=sounds))
    folder = RecordingFolder(tmp_path / "kept", clock=ManualClock(), limits=Limits(days=7.0))
    writer = PartWriter(folder.begin("gate", START), first)
    writer.add(first)

    writer.hear(second)
    path = folder.path_of(writer.publish())

    with av.open(str(path)) as container:
        kept = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    wanted = [sound.content for sound in (*early, *late) if sound.stream_s < second.begins_s]
    assert kept == wanted
    assert len(kept) > len(early)
