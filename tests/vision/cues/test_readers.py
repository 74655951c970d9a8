"""All cues together: what they make of a picture parts of which arrived damaged."""

from dataclasses import replace

import pytest

from tests.fakes.builders import header
from tests.fakes.thing_scenes import FPS, Placed, Scene, Watcher
from tests.fakes.thing_stories import BAG
from vision.cues.port import Cues

SMEARS = Scene(name="smears", things=(Placed(at=BAG, from_s=4),), seconds=30)
"""Something stands there from 4 s on."""


@pytest.mark.parametrize(("is_patched", "told"), [(False, ["abandoned"]), (True, [])])
def test_what_is_seen_in_patched_pictures_alone_is_nothing(
    is_patched: bool, told: list[str]
) -> None:
    watcher = Watcher(SMEARS)

    for seq in range(round(SMEARS.seconds * FPS)):
        head = header(seq)
        watcher.look(replace(head, is_patched=is_patched and head.monotonic_s >= 3.0))

    assert [event.kind for event in watcher.events] == told


def test_what_was_seen_before_is_still_there_in_a_patched_picture() -> None:
    watcher = Watcher(SMEARS)
    for seq in range(round(10 * FPS)):
        watcher.look(header(seq))
    [before] = watcher.cues[-1].regions()

    watcher.look(replace(header(round(10 * FPS)), is_patched=True))

    assert list(watcher.cues[-1].regions()) == [before]


def test_a_run_that_begins_with_a_patched_picture_has_nothing_to_say() -> None:
    watcher = Watcher(SMEARS)

    watcher.look(replace(header(0), is_patched=True))

    assert watcher.cues == [Cues()]
