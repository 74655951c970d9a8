from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from contracts.detections import ANY_LABEL, Detections, ModelIdentity
from contracts.frames import Frame
from tests.fakes.builders import header
from vision.detect.witnessed import CERTAIN, WitnessedDetector

Box = tuple[float, float, float, float]
MAN: Box = (0.4, 0.3, 0.5, 0.7)
STOOL: Box = (0.7, 0.6, 0.8, 0.75)
FRAME = Frame(header=header(0), pixels_HW3=np.zeros((90, 160, 3), np.uint8))


class Says:
    """A detector that finds the same boxes in every frame."""

    batch_frames = 4

    def __init__(
        self, *boxes: Box, confidence: float = 0.6, labels: tuple[str, ...] = ("person",)
    ) -> None:
        self.identity = ModelIdentity(name=labels[0])
        self.labels = labels
        self.forgotten: list[str] = []
        self.confidences = [confidence] * len(boxes)
        self._boxes = boxes

    def move_to(self, *boxes: Box, confidence: float = 0.6) -> None:
        self._boxes, self.confidences = boxes, [confidence] * len(boxes)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        count = len(self._boxes)
        is_named = self.labels != (ANY_LABEL,)
        return [
            Detections(
                boxes_N4=np.array(self._boxes, np.float32).reshape(-1, 4),
                confidences_N=np.array(self.confidences, np.float32),
                class_ids_N=np.zeros(count, np.int64),
                labels=self.labels,
                embeddings_ND=np.tile(np.array([1, 0], np.float32), (count, 1))
                if is_named
                else None,
                postures_NP=np.tile(np.array([1, 0], np.float32), (count, 1)) if is_named else None,
                posture_labels=("upright", "lying") if is_named else (),
            )
            for _ in frames
        ]

    def forget(self, camera_id: str) -> None:
        self.forgotten.append(camera_id)


def joined(found: Says, *bodies: Box) -> Detections:
    [detections] = WitnessedDetector(found, Says(*bodies, labels=(ANY_LABEL,))).detect([FRAME])
    return detections


def names(detections: Detections) -> list[str]:
    return [detections.label(index) for index in range(len(detections))]


def test_a_find_where_something_has_come_counts_once_and_by_its_name() -> None:
    detections = joined(Says(MAN), (0.38, 0.28, 0.52, 0.72))

    assert names(detections) == ["person"]
    assert detections.boxes_N4[0] == pytest.approx(MAN)


def test_a_stool_that_was_always_there_is_nobody() -> None:
    assert names(joined(Says(MAN, STOOL), MAN)) == ["person"]


def test_who_is_certain_needs_no_witness() -> None:
    assert names(joined(Says(STOOL, confidence=CERTAIN))) == ["person"]


def test_what_came_and_has_no_name_is_something() -> None:
    detections = joined(Says(MAN), MAN, STOOL)

    assert names(detections) == ["person", ANY_LABEL]
    assert detections.embeddings_ND is not None
    assert detections.embeddings_ND.tolist() == [[1, 0], [0, 0]]
    assert detections.postures_NP is not None
    assert detections.postures_NP.tolist() == [[1, 0], [0.5, 0.5]]


def test_an_empty_scene_is_empty() -> None:
    assert names(joined(Says())) == []


def test_it_is_the_one_that_names_and_both_forget() -> None:
    named, movement = Says(MAN), Says(labels=(ANY_LABEL,))
    detector = WitnessedDetector(named, movement)

    detector.forget("gate")

    assert detector.identity == named.identity
    assert detector.labels == ("person", ANY_LABEL)
    assert detector.batch_frames == 4
    assert (named.forgotten, movement.forgotten) == (["gate"], ["gate"])


def test_a_find_that_is_borne_out_is_as_sure_as_its_witness() -> None:
    [detections] = WitnessedDetector(
        Says(MAN, confidence=0.55), Says(MAN, confidence=0.9, labels=(ANY_LABEL,))
    ).detect([FRAME])

    assert names(detections) == ["person"]
    assert detections.confidences_N == pytest.approx([0.9])


def test_a_guess_is_no_name() -> None:
    [detections] = WitnessedDetector(
        Says(MAN, confidence=0.2), Says(MAN, confidence=0.9, labels=(ANY_LABEL,))
    ).detect([FRAME])

    assert names(detections) == [ANY_LABEL]


def test_a_small_find_within_a_body_that_has_a_name_is_part_of_it() -> None:
    shadow = (0.46, 0.62, 0.5, 0.7)

    assert names(joined(Says(MAN, shadow), MAN)) == ["person"]


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        pytest.param(0.6, ["person", "person"], id="named"),
        pytest.param(0.4, ["person", ANY_LABEL], id="too doubtful to be a name"),
    ],
)
def test_who_is_found_behind_another_is_himself_where_a_part_of_him_is_seen_alone(
    confidence: float, expected: list[str]
) -> None:
    """His coat is like the wall, and his legs are one body with somebody who passes before him."""
    behind, head = (0.36, 0.2, 0.42, 0.5), (0.37, 0.2, 0.4, 0.26)
    found = Says(MAN, behind)
    found.confidences = [0.6, confidence]

    detections = joined(found, MAN, head)

    assert names(detections) == expected
    assert detections.boxes_N4[1] == pytest.approx(behind if confidence > 0.5 else head)


def test_two_who_stand_together_are_two() -> None:
    left, right = (0.4, 0.3, 0.5, 0.7), (0.5, 0.3, 0.6, 0.7)

    assert names(joined(Says(left, right), (0.4, 0.3, 0.6, 0.7))) == ["person", "person"]


def test_what_does_not_count_is_kept_as_a_guess() -> None:
    """Who lies is a doubtful find and no foreground for long; cues look at it all the same."""
    detections = joined(Says(STOOL, confidence=0.3), MAN)

    assert names(detections) == [ANY_LABEL]
    assert detections.guesses is not None
    assert detections.guesses.boxes_N4 == pytest.approx(np.array([STOOL], np.float32))
    assert detections.guesses.confidences_N == pytest.approx(0.3)


class Faintly(Says):
    """It finds nothing, but would in more light."""

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return [
            replace(Detections.none(self.labels), guesses=faint) for faint in super().detect(frames)
        ]


@pytest.mark.parametrize(
    ("faint", "expected"),
    [
        pytest.param(MAN, ["person"], id="somebody at dusk"),
        pytest.param(STOOL, [], id="something elsewhere, which is nothing by itself"),
    ],
)
def test_what_is_too_faint_to_be_a_body_bears_out_who_is_found_there(
    faint: Box, expected: list[str]
) -> None:
    [detections] = WitnessedDetector(Says(MAN), Faintly(faint, labels=(ANY_LABEL,))).detect([FRAME])

    assert names(detections) == expected
    if expected:
        assert detections.confidences_N == pytest.approx([0.6])


def frame_at(at_s: float) -> Frame:
    return Frame(header=header(at_s=at_s), pixels_HW3=np.zeros((90, 160, 3), np.uint8))


VISITOR: Box = (0.68, 0.2, 1.0, 0.95)
"""A body that reaches over the stool with its shadow."""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(VISITOR, [ANY_LABEL], id="a visitor passes it"),
        pytest.param((0.72, 0.65, 0.8, 0.75), ["person"], id="it moves itself"),
        pytest.param(STOOL, ["person"], id="it is the body"),
    ],
)
def test_what_stood_in_the_empty_scene_is_borne_out_by_a_body_of_its_own(
    body: Box, expected: list[str]
) -> None:
    movement = Says(labels=(ANY_LABEL,))
    detector = WitnessedDetector(Says(STOOL), movement)
    for at_s in (0.0, 2.0):
        detector.detect([frame_at(at_s)])

    movement.move_to(body)
    [detections] = detector.detect([frame_at(4.0)])

    assert names(detections) == expected


def test_who_comes_in_with_the_body_is_borne_out_by_it() -> None:
    assert "person" in names(joined(Says(STOOL), VISITOR))


def test_each_camera_has_its_own_furniture_and_forgets_it_when_told() -> None:
    movement = Says(labels=(ANY_LABEL,))
    detector = WitnessedDetector(Says(STOOL), movement)
    for at_s in (0.0, 2.0):
        detector.detect([frame_at(at_s)])
    movement.move_to(VISITOR)
    elsewhere = Frame(header=header(camera_id="gate", at_s=4.0), pixels_HW3=FRAME.pixels_HW3)

    [detections] = detector.detect([elsewhere])
    detector.forget("cam")
    [after] = detector.detect([frame_at(4.0)])

    assert "person" in names(detections)
    assert "person" in names(after)
