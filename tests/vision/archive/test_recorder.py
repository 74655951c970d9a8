"""What the rules are told is what is recorded, in parts of a few seconds."""

from dataclasses import replace

import pytest

from contracts.tracks import TrackState
from tests.fakes.street_life import Frames, street
from tests.fakes.track_archives import InMemoryTracks, archive_of, recorded
from vision.archive.columns import STATES
from vision.archive.recorder import IDLE_PART_S, PART_S, TrackRecorder, TrackRecorders
from vision.backtest.sitting import Sitting

FRAMES = street(6, count=8, until_s=60.0, stalls=False)


def test_every_point_and_every_frame_is_there() -> None:
    stored = recorded(FRAMES)
    points = [
        (track.track_id, header.seq, track.last.box, STATES.index(track.state), track.label)
        for header, tracks in FRAMES
        for track in tracks
        if track.last.seq == header.seq
    ]

    assert stored.seqs_F.tolist() == [header.seq for header, _ in FRAMES]
    found = [
        (stored.names[k], int(stored.seqs_F[f]), tuple(box), state, stored.labels[label])
        for k, f, box, state, label in zip(
            stored.tracks_N.tolist(),
            stored.frames_N.tolist(),
            stored.edges_N4().tolist(),
            stored.states_N.tolist(),
            stored.labels_N.tolist(),
            strict=True,
        )
    ]
    assert sorted(found) == sorted(points)


def test_a_snapshot_made_of_columns_is_the_track_that_was() -> None:
    sitting = Sitting(recorded(FRAMES))
    places = {name: place for place, name in enumerate(sitting.stored.names)}
    for frame, (header, tracks) in enumerate(FRAMES):
        assert sitting.header(frame) == header
        for track in tracks:
            row = sitting.row_at(places[track.track_id], frame)
            if row is None or track.last.seq != header.seq:
                continue
            made = sitting.snapshot(places[track.track_id], row)
            assert (made.track_id, made.label, made.state) == (
                track.track_id, track.label, track.state,
            )  # fmt: skip
            assert (made.first_seen_at, made.first_seen_s) == (
                track.first_seen_at, track.first_seen_s,
            )  # fmt: skip
            assert [(p.seq, p.box, p.is_observed, p.captured_at) for p in made.points] == [
                (p.seq, p.box, p.is_observed, p.captured_at) for p in track.points
            ]


def test_parts_are_a_few_seconds_where_somebody_is_and_a_minute_where_nobody_is() -> None:
    busy = archive_of(FRAMES).parts
    empty = archive_of(street(1, count=0, until_s=200.0, stalls=False)).parts

    lasted_s = [part.stream_F[-1] - part.stream_F[0] for part in busy if part.points]
    assert max(lasted_s) < PART_S + 0.3
    assert [len(part.names) for part in empty] == [0] * 4
    assert empty[0].stream_F[-1] - empty[0].stream_F[0] == pytest.approx(IDLE_PART_S)


def test_the_end_of_a_track_is_recorded() -> None:
    stored = recorded(FRAMES)
    ended = {
        track.track_id: header.seq
        for header, tracks in FRAMES
        for track in tracks
        if track.state is TrackState.ENDED
    }

    found = {
        name: int(stored.seqs_F[end])
        for name, end in zip(stored.names, stored.ended_K.tolist(), strict=True)
        if end >= 0
    }
    assert found == ended
    assert ended


def test_a_box_that_is_no_number_is_left_out() -> None:
    header, tracks = next((h, t) for h, t in FRAMES if t and t[0].last.seq == h.seq)
    broken = replace(tracks[0].last, box=(float("nan"), 0.0, 1.0, 1.0))
    wrong = replace(tracks[0], points=(*tracks[0].points[:-1], broken))

    assert recorded([(header, [wrong])]).points == 0


def test_another_run_is_another_sitting() -> None:
    later = [(replace(header, run_id="run2"), tracks) for header, tracks in FRAMES]
    archive = InMemoryTracks()
    recorder = TrackRecorder(archive)
    for header, tracks in [*FRAMES[:10], *later[10:20]]:
        recorder.look(header, tracks)
    recorder.flush()

    assert [(part.run_id, part.frames) for part in archive.parts] == [("run1", 10), ("run2", 10)]
    assert archive.parts[0].sitting != archive.parts[1].sitting


def test_cameras_are_kept_apart_and_leaving_gives_away_what_there_is() -> None:
    archive = InMemoryTracks()
    recorders = TrackRecorders(archive)
    other: Frames = [(replace(header, camera_id="gate"), tracks) for header, tracks in FRAMES[:5]]
    for header, tracks in [*FRAMES[:5], *other]:
        recorders.look(header, tracks)

    recorders.leave("gate")
    recorders.leave("absent")

    assert [(part.camera_id, part.frames) for part in archive.parts] == [("gate", 5)]
