"""Batches for the training loop: views of what may be learnt, with targets point by point."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from contracts.errors import ConfigError
from tests.vision.training.published import yolox_of
from tests.vision.training.scenes import PERSON, corpus_of, known, sample, scene, street_corpus
from vision.encoder import anchor_points
from vision.training.batches import FULL, SMALL, Batch, Views, loader
from vision.training.sources import CLASSES


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    street_corpus(folder, pictures=3)
    return folder


def batches(
    corpus: Path,
    teachers: Path,
    *,
    count: int = 3,
    seed: int = 0,
    whole: bool = False,
    part: int = 0,
) -> list[Batch]:
    views = Views(corpus, yolox_of(teachers), count=2, seed=seed, whole=whole, part=part)
    return list(islice(loader(views, processes=0), count))


def sizes(found: list[Batch]) -> list[tuple[int, ...]]:
    return [tuple(batch.pixels_N3HW.shape[2:]) for batch in found]


def test_each_anchor_point_of_each_view_has_its_target(street: Path, teachers: Path) -> None:
    for batch in batches(street, teachers):
        views, colours, height, width = batch.pixels_N3HW.shape
        points = len(anchor_points(height, width))
        assert (views, colours, batch.pixels_N3HW.dtype) == (2, 3, torch.uint8)
        assert batch.scores_NAC.shape == (2, points, len(CLASSES))
        assert batch.boxes_NA4.shape == (2, points, 4)
        assert batch.features_NAD.shape == (2, points, 64)
        assert batch.scores_NAC.min() >= 0
        assert batch.scores_NAC.max() <= 1


def test_people_are_wanted_where_they_are_seen(street: Path, teachers: Path) -> None:
    """Of the points at which a person is surely wanted, most lie on red."""
    on_red = wanted = 0
    for batch in batches(street, teachers, count=12, whole=True):
        x, y, _ = anchor_points(*batch.pixels_N3HW.shape[2:]).long().T
        for view, scores_AC in zip(batch.pixels_N3HW.int(), batch.scores_NAC, strict=True):
            sure_A = scores_AC[:, PERSON] > 0.6
            is_red_A = view[2, y, x] - view[0, y, x] > 5
            wanted, on_red = wanted + int(sure_A.sum()), on_red + int((sure_A & is_red_A).sum())

    assert wanted > 20
    assert on_red > 0.6 * wanted


def test_views_are_parts_of_pictures_first_and_whole_ones_later(
    street: Path, teachers: Path
) -> None:
    assert set(sizes(batches(street, teachers))) <= set(SMALL)
    assert set(sizes(batches(street, teachers, whole=True))) <= set(FULL)


def test_a_seed_gives_the_same_batches_again(street: Path, teachers: Path) -> None:
    first, second = batches(street, teachers, seed=5), batches(street, teachers, seed=5)
    assert all(
        torch.equal(a.pixels_N3HW, b.pixels_N3HW) for a, b in zip(first, second, strict=True)
    )


def test_processes_side_by_side_see_other_views_of_the_same_sizes(
    street: Path, teachers: Path
) -> None:
    first, second = (batches(street, teachers, seed=5, part=part) for part in (0, 1))

    assert sizes(first) == sizes(second)
    assert not any(
        torch.equal(a.pixels_N3HW, b.pixels_N3HW) for a, b in zip(first, second, strict=True)
    )


def test_held_out_places_are_never_shown(tmp_path: Path, teachers: Path) -> None:
    """The held-out picture is bright; nothing that dirt does makes the dark one as bright."""
    dark = np.full((224, 384, 3), 8, np.uint8)
    bright = np.full((224, 384, 3), 250, np.uint8)
    items = [(sample(dark, source="in.mp4"), dark)]
    items += [(sample(bright, source="out.mp4", is_held_out=True), bright)] * 9
    corpus_of(tmp_path, *items)

    found = batches(tmp_path, teachers, count=6, whole=True)

    assert all(batch.pixels_N3HW.float().amax() < 250 for batch in found)


def test_a_corpus_that_is_held_out_as_a_whole_says_what_to_do(
    tmp_path: Path, teachers: Path
) -> None:
    picture = scene()
    corpus_of(tmp_path, (sample(picture, known((5, 5, 50, 90)), is_held_out=True), picture))

    with pytest.raises(ConfigError, match="all 1 pictures are held out; add videos of other"):
        batches(tmp_path, teachers)
