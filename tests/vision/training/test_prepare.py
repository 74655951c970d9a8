"""Folders of videos and stills become one corpus."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.errors import ConfigError
from tests.fakes.clips import WalkerClip, walker_path
from tests.vision.training.scenes import CAR, PERSON, RED, scene
from vision.training.corpus import Corpus, Sample
from vision.training.prepare import prepare

SHORT = WalkerClip(duration_s=1.0)
TRAINED, TESTED = "camera3", "camera0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def with_still(folder: Path, boxes: list[list[object]], *, width: int = 320) -> None:
    """A still of 320x160 pixels, or wider at the same shape, with labels."""
    (folder / "images").mkdir(parents=True)
    picture = scene(people=[(0, 0, 60, 60)], size=(width // 2, width))
    cv2.imwrite(str(folder / "images" / "1.png"), picture)
    content = {
        "set": "yard", "licence": "CC0", "complete_for": ["person"], "use": "train",
        "images": [{"file": "1.png", "boxes": boxes}],
    }  # fmt: skip
    (folder / "labels.json").write_text(json.dumps(content))


def prepared(*folders: Path) -> tuple[Corpus, list[Sample]]:
    out = folders[0].parent / "corpus"
    count = prepare(folders, out)
    corpus = Corpus.open(out)
    assert count == len(corpus.samples)
    return corpus, corpus.samples


def test_a_video_is_seen_several_times_a_second(folder: Path) -> None:
    shutil.copy(walker_path(SHORT), folder / f"{TRAINED}.mp4")

    corpus, samples = prepared(folder)

    assert [item.source for item in samples] == [f"{TRAINED}.mp4"] * len(samples)
    assert 3 <= len(samples) <= 4
    assert not samples[0].is_labelled
    assert corpus.pixels(samples[0]).shape == (SHORT.height, SHORT.width, 3)
    last = SHORT.picture(round(samples[-1].time_s * SHORT.fps)).astype(float)
    assert np.abs(corpus.pixels(samples[-1]) - last).mean() < 3


def test_held_out_videos_are_seen_half_as_often(folder: Path) -> None:
    for name in (TRAINED, TESTED):
        shutil.copy(walker_path(WalkerClip()), folder / f"{name}.mp4")

    corpus, _ = prepared(folder)

    trained, tested = corpus.part(held_out=False), corpus.part(held_out=True)
    assert {item.source for item in trained} == {f"{TRAINED}.mp4"}
    assert {item.source for item in tested} == {f"{TESTED}.mp4"}
    assert len(trained) > 1.5 * len(tested) > 0


def test_a_folder_of_stills_alone_will_do(folder: Path) -> None:
    with_still(folder, [[0, 0, 60, 60, "person"], [5, 5, 40, 30, "truck"]])

    corpus, [item] = prepared(folder)

    assert item.is_labelled
    assert item.complete_for == (PERSON,)
    assert [found.box for found in item.objects] == [(0, 0, 60, 60), (5, 5, 40, 30)]
    assert {found.score for found in item.objects} == {1.0}
    assert tuple(corpus.pixels(item)[30, 30]) == RED


def test_boxes_shrink_with_their_still(folder: Path) -> None:
    with_still(folder, [[0, 0, 60, 60, "person"]], width=1280)

    corpus, [item] = prepared(folder)

    assert corpus.pixels(item).shape == (320, 640, 3)
    assert item.objects[0].box == (0, 0, 30, 30)


def test_labels_that_are_none_of_ours_and_boxes_without_area_are_left_out(folder: Path) -> None:
    boxes: list[list[object]] = [
        [0, 0, 9, 9, "tree"], [5, 5, 5, 30, "person"], [9, 9, 3, 3, "car"], [1, 1, 9, 9, "car"],
    ]  # fmt: skip
    with_still(folder, boxes)

    _, [item] = prepared(folder)

    assert [(found.label, found.box) for found in item.objects] == [(CAR, (1, 1, 9, 9))]


def test_several_folders_become_one_corpus(folder: Path) -> None:
    shutil.copy(walker_path(SHORT), folder / f"{TRAINED}.mp4")
    with_still(folder.parent / "more", [])

    _, samples = prepared(folder, folder.parent / "more")

    assert {item.source for item in samples} == {f"{TRAINED}.mp4", "images/1.png"}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere: not a folder; name one with videos"):
        prepare([tmp_path / "nowhere"], tmp_path / "corpus")


def test_a_file_that_cannot_be_read_is_named_and_leaves_no_corpus(folder: Path) -> None:
    shutil.copy(walker_path(SHORT), folder / "a.mp4")
    (folder / "b.mp4").write_bytes(b"no video")
    out = folder.parent / "corpus"

    with pytest.raises(ConfigError, match=r"b\.mp4: not a video"):
        prepare([folder], out)

    with pytest.raises(ConfigError, match="run `python -m"):
        Corpus.open(out)
