"""Teachers label a corpus; labels by hand stay, and work that was cut off is not done twice."""

from pathlib import Path

import msgspec
import pytest

from tests.vision.training.published import with_blind_yolox
from tests.vision.training.scenes import CAR, PERSON, corpus_of, known, sample, scene
from vision.training.corpus import TAUGHT_FILE, Corpus, Object
from vision.training.label import label

WALKER = (40, 60, 100, 200)
PARKED = (220, 120, 340, 200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "corpus"


def taught(folder: Path, *seen: tuple[Object, ...]) -> None:
    """Pretend that the teachers looked at the first pictures before."""
    content = msgspec.json.encode(dict(enumerate(seen)))
    (folder / TAUGHT_FILE).write_bytes(content)


def labels_of(folder: Path) -> list[tuple[Object, ...]]:
    return [item.objects for item in Corpus.open(folder).samples]


def test_every_picture_is_labelled(folder: Path, teachers: Path) -> None:
    street = scene(people=[WALKER])
    yard = scene(cars=[PARKED])
    corpus_of(folder, (sample(street), street), (sample(yard, time_s=1.0), yard))

    assert label(folder, teachers, processes=1) == 2

    seen = [{item.label for item in found} for found in labels_of(folder)]
    assert seen == [{PERSON}, {CAR}]


def test_a_second_run_looks_at_nothing_again(folder: Path, teachers: Path) -> None:
    picture = scene(people=[WALKER])
    corpus_of(folder, (sample(picture), picture))
    label(folder, teachers, processes=1)
    before = labels_of(folder)

    assert label(folder, teachers, processes=1) == 0

    assert labels_of(folder) == before


def test_it_goes_on_where_it_was_cut_off(folder: Path, teachers: Path) -> None:
    picture = scene(cars=[PARKED])
    corpus_of(folder, (sample(picture), picture), (sample(picture, time_s=1.0), picture))
    taught(folder, (known(WALKER, score=0.5),))

    assert label(folder, teachers, processes=1) == 1

    first, second = labels_of(folder)
    assert first == (known(WALKER, score=0.5),)
    assert {item.label for item in second} == {CAR}


def test_nothing_half_written_is_left(folder: Path, teachers: Path) -> None:
    picture = scene(size=(64, 64))
    corpus_of(folder, (sample(picture), picture))

    label(folder, teachers, processes=1)

    assert not list(folder.glob("*.part"))


def test_a_label_by_hand_wins_over_the_teachers_double(folder: Path, teachers: Path) -> None:
    picture = scene()
    corpus_of(folder, (sample(picture, known(WALKER)), picture))
    close = known((43, 60, 103, 200), score=0.8)
    apart = known((200, 60, 260, 200), score=0.7)
    taught(folder, (close, apart))

    label(folder, teachers, processes=1)

    assert labels_of(folder) == [(known(WALKER), apart)]


def test_the_same_place_may_hold_objects_of_two_classes(folder: Path, teachers: Path) -> None:
    picture = scene()
    corpus_of(folder, (sample(picture, known(WALKER)), picture))
    taught(folder, (known(WALKER, CAR, 0.6),))

    label(folder, teachers, processes=1)

    assert labels_of(folder) == [(known(WALKER), known(WALKER, CAR, 0.6))]


def test_teachers_add_nothing_to_classes_that_were_labelled_completely(
    folder: Path, teachers: Path
) -> None:
    picture = scene()
    corpus_of(folder, (sample(picture, known(WALKER), complete_for=(PERSON,)), picture))
    ghost = known((200, 60, 260, 200), score=0.9)
    taught(folder, (ghost, known(PARKED, CAR, 0.8)))

    label(folder, teachers, processes=1)

    assert labels_of(folder) == [(known(WALKER), known(PARKED, CAR, 0.8))]


def test_held_out_pictures_are_labelled_without_the_one_that_is_compared_with(
    folder: Path, teachers: Path, tmp_path: Path
) -> None:
    """With a YOLOX that sees nothing a picture to train on loses looks; a held-out one does not."""
    picture = scene(people=[WALKER])
    items = [
        (sample(picture, source=name, is_held_out=name == "out.mp4"), picture)
        for name in ("in.mp4", "out.mp4")
    ]
    scores = []
    for place, chosen in (
        (folder, teachers),
        (tmp_path / "again", with_blind_yolox(teachers, tmp_path / "blind")),
    ):
        corpus_of(place, *items)
        label(place, chosen, processes=1)
        scores.append([max((o.score for o in found), default=0) for found in labels_of(place)])

    (trained, held_out), (trained_blind, held_out_blind) = scores
    assert trained_blind < trained
    assert held_out_blind == held_out > 0
