"""What may be trained on, and what is held out: whole places, the same on every machine."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import ConfigError
from vision.training.sources import (
    STILL_LIST,
    VIDEO_LIST,
    Clip,
    class_of,
    clips,
    is_held_out,
    stills,
)


def listed(folder: Path, *records: dict[str, Any]) -> list[Clip]:
    """Clips of a folder with a list of ground truth, by what differs from the usual."""
    usual: dict[str, Any] = {"licence": "CC BY 4.0", "note": "", "events": []}
    content = {"videos": [usual | record for record in records]}
    (folder / VIDEO_LIST).write_text(json.dumps(content))
    return clips(folder)


def labelled(folder: Path, **content: Any) -> None:  # noqa: ANN401  # JSON
    usual: dict[str, Any] = {
        "set": "yard", "licence": "CC0", "complete_for": ["person"], "use": "train",
        "images": [{"file": "1.jpg", "boxes": [[1, 2, 30, 40, "person"]]}],
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STILL_LIST).write_text(json.dumps(usual | content))


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("person", "person"),
        ("suitcase", "bag"),
        ("backpack", "bag"),
        ("bag", "bag"),
        ("tree", None),
    ],
)
def test_labels_of_data_sets_become_the_encoders_classes(label: str, name: str | None) -> None:
    assert class_of(label) == name


def test_the_split_is_the_same_on_every_machine() -> None:
    """Written down once: a split that moved would test on places that were learnt."""
    held_out = [number for number in range(12) if is_held_out(f"camera{number}")]
    assert held_out == [0, 1, 2, 7, 9, 10, 11]


def test_two_places_in_five_are_held_out() -> None:
    count = sum(is_held_out(f"place {number}") for number in range(2000))
    assert 720 < count < 880


def test_videos_of_ones_own_are_a_place_each(tmp_path: Path) -> None:
    (tmp_path / "yard").mkdir()
    for name in ("gate.mp4", "yard/door.MKV", "notes.txt"):
        (tmp_path / name).touch()

    found = clips(tmp_path)

    assert [(clip.path.name, clip.group) for clip in found] == [
        ("gate.mp4", "gate"),
        ("door.MKV", "door"),
    ]
    assert all(clip.is_held_out == is_held_out(clip.group) for clip in found)
    assert {clip.licence for clip in found} == {"yours"}


def test_a_folder_without_videos_says_what_counts_as_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no video in it \(\.mp4, .*\.webm\)"):
        clips(tmp_path)


def test_a_folder_of_stills_needs_no_video(tmp_path: Path) -> None:
    assert clips(tmp_path, may_be_empty=True) == []


@pytest.mark.parametrize(
    ("licence", "is_closed"),
    [
        ("CC BY 4.0 (Intel)", False),
        ("CC0", False),
        ("MIT", False),
        ("repository MIT", False),
        ("CC BY-NC 4.0", True),
        ("CC BY 4.0 background; sound CC BY-NC", True),
        ("MIT; frames of the MOTChallenge", True),
        ("unknown", True),
        ("", True),
    ],
)
def test_what_may_not_be_trained_on_is_held_out(
    tmp_path: Path, licence: str, is_closed: bool
) -> None:
    [clip] = listed(tmp_path, {"video": "yard/a.mp4", "licence": licence})
    assert clip.is_held_out == is_closed


@pytest.mark.parametrize("video", ["fall/a.mp4", "intel/one_by_one_dev.mp4"])
def test_what_only_tests_can_be_made_of_is_held_out(tmp_path: Path, video: str) -> None:
    [clip] = listed(tmp_path, {"video": video, "licence": "MIT"})
    assert clip.is_held_out


def test_clips_that_were_made_from_others_are_left_out(tmp_path: Path) -> None:
    found = listed(tmp_path, {"video": "lowlight/a.mp4"}, {"video": "intel/a.mp4"})
    assert [clip.path for clip in found] == [tmp_path / "intel" / "a.mp4"]


@pytest.mark.parametrize("number", range(6))
def test_clips_of_one_source_stand_on_one_side_of_the_split(tmp_path: Path, number: int) -> None:
    note = f"cut from source https://example.com/watch{number} at 3 s"
    records = [
        {"video": f"fight/clips/{name}.mp4", "licence": "MIT", "note": note, "events": []}
        for name in "abc"
    ]
    found = listed(tmp_path, *records)

    assert {clip.group for clip in found} == {f"https://example.com/watch{number}"}
    assert len({clip.is_held_out for clip in found}) == 1


def test_a_clip_knows_what_happens_in_it(tmp_path: Path) -> None:
    events = [{"type": "fall"}, {"type": "fall"}, {"type": "fight"}]
    [clip] = listed(tmp_path, {"video": "intel/a.mp4", "events": events})
    assert clip.kinds == {"fall", "fight"}


def test_a_list_that_is_not_readable_is_named(tmp_path: Path) -> None:
    (tmp_path / VIDEO_LIST).write_text("{")
    with pytest.raises(ConfigError, match=r"ground_truth_video\.json: not a readable JSON file"):
        clips(tmp_path)


def test_stills_come_with_their_boxes_and_what_is_complete(tmp_path: Path) -> None:
    labelled(tmp_path / "yard", complete_for=["person", "suitcase", "tree"])

    [still] = stills(tmp_path)

    assert still.path == tmp_path / "yard" / "images" / "1.jpg"
    assert still.boxes == ((1, 2, 30, 40, "person"),)
    assert still.complete_for == {"person", "bag"}
    assert not still.is_held_out


@pytest.mark.parametrize(
    ("use", "own", "is_held_out"),
    [
        ("train ok", None, False),
        ("tests only", None, True),
        ("", None, True),
        ("tests only", "train", False),
        ("train", "tests only", True),
    ],
)
def test_a_still_is_trained_on_only_where_its_list_says_so(
    tmp_path: Path, use: str, own: str | None, is_held_out: bool
) -> None:
    image = {"file": "1.jpg", "boxes": []} | ({"use": own} if own else {})
    labelled(tmp_path, use=use, images=[image])

    [still] = stills(tmp_path)

    assert still.is_held_out == is_held_out


def test_stills_of_one_photographer_are_one_group(tmp_path: Path) -> None:
    images = [{"file": f"{number}.jpg", "boxes": [], "group": "kim"} for number in range(2)]
    labelled(tmp_path, images=images)
    assert {still.group for still in stills(tmp_path)} == {"yard:kim"}


def test_a_folder_without_labels_has_no_stills(tmp_path: Path) -> None:
    assert list(stills(tmp_path)) == []


@pytest.mark.data
def test_of_the_shared_clips_no_place_is_on_both_sides(shared: Path) -> None:
    found = clips(shared / "data")

    sides: dict[str, set[bool]] = {}
    for clip in found:
        sides.setdefault(clip.group, set()).add(clip.is_held_out)
    assert [group for group, both in sides.items() if len(both) > 1] == []
    assert {clip.is_held_out for clip in found} == {True, False}
