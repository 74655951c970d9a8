"""Fitting the fight score: sources stay together, and what separates the clips is found."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ConfigError
from tests.fakes.clips import WalkerClip, write_walker
from vision.cues.scuffle_score import read_score
from vision.cues.stirs import MEASURES
from vision.training.fights import (
    FightClip,
    Window,
    fit,
    fit_all,
    fit_fights,
    folds,
    group_of_stream,
    read_clips,
    read_quiet,
    usable,
)

COUNT = 2 * len(MEASURES)


def clip(index: int, *, is_fight: bool, group: str, shift: float = 1.0) -> FightClip:
    draw = np.random.default_rng(index)
    windows = []
    for step in range(4):
        weighed_V = draw.normal(0, 1, COUNT).astype(np.float32)
        weighed_V[0] += shift if is_fight else -shift
        windows.append((Window(at_s=1.2 + 0.2 * step, weighed_V=weighed_V),))
    return FightClip(
        video=f"fight/clips/{index}.mp4",
        group=group,
        is_fight=is_fight,
        is_trainable=True,
        duration_s=2.0,
        begins_with="",
        events=(),
        moments=tuple(windows),
    )


def clips(count: int = 60) -> list[FightClip]:
    return [
        clip(index, is_fight=index % 2 == 0, group=f"source{index % 12}") for index in range(count)
    ]


def test_each_source_is_in_one_fold() -> None:
    drawn = folds(clips(), seed=0)

    assert len(drawn) == 5
    names = [name for names in drawn for name in names]
    assert sorted(names) == sorted({one.group for one in clips()})


def test_folds_are_the_same_for_a_seed_and_not_for_another() -> None:
    assert folds(clips(), seed=1) == folds(clips(), seed=1)
    assert folds(clips(), seed=1) != folds(clips(), seed=2)


def test_folds_hold_about_as_many_fights_each() -> None:
    fights = [
        sum(one.is_fight for one in clips() if one.group in names)
        for names in folds(clips(), seed=0)
    ]

    assert max(fights) <= 2 * max(1, min(fights))


def test_what_separates_the_clips_is_weighed_most_and_holds_for_unseen_ones() -> None:
    score = fit(clips())

    assert int(np.abs(score.weights_V).argmax()) == 0
    unseen = [clip(1000 + i, is_fight=i % 2 == 0, group="new", shift=2.0) for i in range(40)]
    right = [
        (score.of_weighed(one.windows[0].weighed_V).value > 0.5) is one.is_fight for one in unseen
    ]
    assert np.mean(right) > 0.8


def test_members_say_the_same_in_the_terms_of_the_whole() -> None:
    whole = fit_all(clips())
    drawn = folds(clips(), seed=0)
    own = fit([one for one in clips() if one.group not in drawn[0]])

    weighed_V = np.random.default_rng(3).normal(0, 0.3, COUNT).astype(np.float32)
    standard_V = (weighed_V - whole.middle_V) / whole.scale_V
    logit = float(whole.members_MV[0] @ standard_V + whole.biases_M[0])

    assert len(whole.members_MV) == 5
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(own.of_weighed(weighed_V).value, abs=1e-3)


def set_of(folder: Path, *records: dict[str, object]) -> Path:
    for record in records:
        video = folder / str(record["video"])
        video.parent.mkdir(parents=True, exist_ok=True)
        write_walker(video, WalkerClip(duration_s=2.4, enter_s=0.0, leave_s=2.4))
    (folder / "ground_truth_video.json").write_text(json.dumps({"videos": list(records)}))
    return folder


def record(name: str, *, kind: str = "", licence: str = "repository MIT") -> dict[str, object]:
    events = [{"type": kind, "start_s": 0, "end_s": 2}] if kind else []
    return {
        "video": name,
        "licence": licence,
        "origin": "joined from a b",
        "note": f"source https://example.org/{name[-7]}",
        "duration": 2.4,
        "events": events,
    }


def test_clips_are_read_with_source_label_and_windows(tmp_path: Path) -> None:
    folder = set_of(
        tmp_path,
        record("fight/clips/a01.mp4", kind="fight"),
        record("fight/streams/s01.mp4"),
        record("background/x01.mp4"),
    )

    fight, stream, other = read_clips(folder)

    assert (fight.is_fight, fight.is_trainable) == (True, True)
    assert fight.group.startswith("https://example.org/")
    assert len(fight.moments) >= 4
    assert not stream.is_trainable
    assert not other.is_trainable
    assert stream.begins_with == "fight/clips/a.mp4"
    assert group_of_stream(stream, [fight]) == stream.group
    assert [one.video for one in usable([fight, stream, other])] == ["fight/clips/a01.mp4"]


def test_the_command_writes_a_score_that_can_be_read(tmp_path: Path) -> None:
    names = [f"fight/clips/{letter}01.mp4" for letter in "abcdef"]
    folder = set_of(
        tmp_path,
        *(record(name, kind="fight" if index % 2 else "") for index, name in enumerate(names)),
    )
    out = tmp_path / "scuffle.safetensors"

    said = fit_fights(argparse.Namespace(data=[folder], quiet=[], out=out))

    assert "3 clips with a fight and 3 without" in said
    score = read_score(out)
    assert len(score.members_MV) == 5
    assert score.forest is not None
    assert score.forest.roots_MT.shape == (5, 40)


def test_a_quiet_day_of_ones_own_counts_as_pieces_without_a_fight(tmp_path: Path) -> None:
    write_walker(tmp_path / "yard.mp4", WalkerClip(duration_s=24.0, enter_s=0.0, leave_s=24.0))

    pieces = read_quiet(tmp_path)

    assert [piece.video for piece in pieces] == ["yard.mp4 0", "yard.mp4 1"]
    assert {piece.group for piece in pieces} == {"quiet:yard.mp4"}
    assert usable(pieces) == pieces
    assert not any(piece.is_fight for piece in pieces)


def test_line_and_trees_of_a_score_tell_unseen_clips() -> None:
    whole = fit_all(clips())

    unseen = [clip(1000 + i, is_fight=i % 2 == 0, group="new", shift=2.0) for i in range(40)]
    found = [whole.of_weighed(one.windows[0].weighed_V) for one in unseen]

    right = [(one.value > 0.5) is of.is_fight for one, of in zip(found, unseen, strict=True)]
    assert np.mean(right) > 0.8
    assert all(0.02 <= one.sigma < 0.5 for one in found)


def test_without_both_kinds_of_clips_nothing_is_fitted(tmp_path: Path) -> None:
    folder = set_of(tmp_path, record("fight/clips/a01.mp4", kind="fight"))

    with pytest.raises(ConfigError, match="with and without a fight"):
        fit_fights(
            argparse.Namespace(data=[folder], quiet=[], out=tmp_path / "scuffle.safetensors")
        )
