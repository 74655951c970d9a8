"""Prepared pictures come back as they were written, or not at all."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ConfigError
from contracts.frames import BgrImage
from tests.vision.training.scenes import CAR, corpus_of, known, sample, scene
from vision.training import corpus, descriptions
from vision.training.corpus import INDEX_FILE, PIXELS_FILE, TAUGHT_FILE, Corpus, Sample


def test_pictures_of_several_sizes_come_back_to_the_pixel(tmp_path: Path) -> None:
    pictures = [
        scene(people=[(2, 2, 9, 20)], size=(40, 60)),
        scene(cars=[(5, 5, 20, 9)], size=(30, 33)),
        scene(size=(1, 1)),
    ]

    prepared = corpus_of(tmp_path, *((sample(picture), picture) for picture in pictures))

    for found, picture in zip(prepared.samples, pictures, strict=True):
        assert np.array_equal(prepared.pixels(found), picture)


def test_what_is_known_of_a_picture_comes_back(tmp_path: Path) -> None:
    picture = scene(size=(40, 60))
    written = sample(
        picture, known((1, 2, 3, 4), CAR, 0.25), source="b.mp4", time_s=1.5, complete_for=(0, 3)
    )

    [found] = corpus_of(tmp_path, (written, picture)).samples

    assert found == written


def test_pixels_cannot_be_written_by_mistake(tmp_path: Path) -> None:
    picture = scene(size=(40, 60))
    prepared = corpus_of(tmp_path, (sample(picture), picture))

    with pytest.raises(ValueError, match="read-only"):
        prepared.pixels(prepared.samples[0])[:] = 0


def test_the_sides_of_the_split_have_nothing_in_common(tmp_path: Path) -> None:
    picture = scene(size=(8, 8))
    items = [
        (sample(picture, source=name, is_held_out=name > "b"), picture) for name in ("a", "b", "c")
    ]
    prepared = corpus_of(tmp_path, *items)

    assert [item.source for item in prepared.part(held_out=False)] == ["a", "b"]
    assert [item.source for item in prepared.part(held_out=True)] == ["c"]


def test_a_folder_that_was_not_prepared_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no index\.json; run `python -m vision\.training prep"):
        Corpus.open(tmp_path)


@pytest.mark.parametrize("left", [0, 1000, None], ids=["empty", "cut off", "missing"])
def test_pixels_that_are_missing_are_counted(tmp_path: Path, left: int | None) -> None:
    picture = scene(size=(40, 60))
    corpus_of(tmp_path, (sample(picture), picture))
    pixels = tmp_path / PIXELS_FILE
    content = pixels.read_bytes()
    pixels.unlink() if left is None else pixels.write_bytes(content[:left])

    with pytest.raises(ConfigError, match=rf"has {left or 0} bytes, needs 7200 for 1 pictures"):
        Corpus.open(tmp_path)


def test_a_corpus_without_pictures_is_refused(tmp_path: Path) -> None:
    corpus.write(tmp_path, [])

    with pytest.raises(ConfigError, match="for 0 pictures"):
        Corpus.open(tmp_path)


@pytest.mark.parametrize("content", ["", "{", '{"a": 1}', '[{"offset": "x"}]'])
def test_an_index_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / INDEX_FILE).write_text(content)

    with pytest.raises(ConfigError, match=r"index\.json: not an index of pictures"):
        Corpus.open(tmp_path)


@pytest.mark.parametrize("name", [TAUGHT_FILE, descriptions.FILE])
def test_preparing_anew_forgets_what_teachers_said_of_other_pictures(
    tmp_path: Path, name: str
) -> None:
    picture = scene(size=(8, 8))
    corpus_of(tmp_path, (sample(picture), picture))
    (tmp_path / name).touch()

    corpus_of(tmp_path, (sample(picture, source="other.mp4"), picture))

    assert not (tmp_path / name).exists()


def test_preparing_that_is_cut_off_leaves_no_corpus(tmp_path: Path) -> None:
    """The pixels are others already; the old index would name the wrong ones."""
    picture = scene(size=(8, 8))
    corpus_of(tmp_path, (sample(picture), picture))

    def cut_off() -> Iterator[tuple[Sample, BgrImage]]:
        yield sample(picture), picture
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        corpus.write(tmp_path, cut_off())

    with pytest.raises(ConfigError, match="run `python -m"):
        Corpus.open(tmp_path)


def test_samples_are_grouped_by_source_in_order_of_time() -> None:
    picture = scene(size=(8, 8))
    samples = [
        sample(picture, source=name, time_s=time_s)
        for name, time_s in (("a", 2), ("b", 0), ("a", 0), ("a", 1))
    ]

    grouped = dict(corpus.by_source(samples))

    assert {name: [item.time_s for item in found] for name, found in grouped.items()} == {
        "a": [0, 1, 2],
        "b": [0],
    }
