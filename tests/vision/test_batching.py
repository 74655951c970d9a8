from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.detections import Detections
from contracts.errors import ModelError
from contracts.frames import Frame, QueuedFrame
from contracts.settings import VisionSettings
from tests.fakes.footage import encoded
from tests.fakes.pipeline_rig import NOBODY
from tests.fakes.scripted_detector import LABELS, ScriptedDetector
from vision.batching import by_turns, detect_each, frames_at_once


class _Forgetful(ScriptedDetector):
    """Answers the first frame of a call and none of the others."""

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return super().detect(frames[:1])


@dataclass
class _Batcher(ScriptedDetector):
    batch_frames: int = 16

    def __post_init__(self) -> None:
        super().__init__(NOBODY)


def queued(camera_id: str, seq: int) -> QueuedFrame:
    return QueuedFrame(entry_id=f"{camera_id}{seq}", frame=encoded(seq, camera_id=camera_id))


def picture(seq: int) -> Frame:
    return Frame(header=encoded(seq).header, pixels_HW3=np.zeros((90, 160, 3), np.uint8))


def test_cameras_take_turns_and_each_keeps_its_order() -> None:
    taken = [queued("a", 1), queued("a", 2), queued("a", 3), queued("b", 7), queued("b", 8)]

    order = [one.entry_id for one in by_turns(taken)]

    assert order == ["a1", "b7", "a2", "b8", "a3"]


@given(st.lists(st.sampled_from("abc"), max_size=20))
def test_no_frame_is_lost_or_overtaken_by_its_camera_s_next(cameras: list[str]) -> None:
    taken = [queued(camera_id, seq) for seq, camera_id in enumerate(cameras)]

    turns = by_turns(taken)

    assert sorted(one.entry_id for one in turns) == sorted(one.entry_id for one in taken)
    for camera_id in "abc":
        seqs = [h.seq for h in (one.frame.header for one in turns) if h.camera_id == camera_id]
        assert seqs == sorted(seqs)


def test_all_frames_go_in_one_call() -> None:
    detector = ScriptedDetector(NOBODY)

    answers = detect_each(detector, [picture(seq) for seq in range(5)])

    assert detector.calls == [5]
    assert all(isinstance(answer, Detections) for answer in answers)


def test_a_bad_frame_costs_only_itself() -> None:
    detector = ScriptedDetector(NOBODY, failing_seqs=[2])

    answers = detect_each(detector, [picture(seq) for seq in range(4)])

    kinds = [type(answer) for answer in answers]
    assert kinds == [Detections, Detections, ModelError, Detections]


def test_a_call_that_leaves_frames_out_is_made_again_for_each() -> None:
    answers = detect_each(_Forgetful(NOBODY), [picture(0), picture(1)])

    assert all(isinstance(answer, Detections) and answer.labels == LABELS for answer in answers)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [pytest.param(0, 16, id="the detector knows"), pytest.param(3, 3, id="the settings say")],
)
def test_how_many_frames_go_into_one_call(wanted: int, found: int) -> None:
    assert frames_at_once(_Batcher(), VisionSettings(batch_frames=wanted)) == found


def test_a_detector_that_says_nothing_gets_one_frame_at_a_time() -> None:
    assert frames_at_once(ScriptedDetector(NOBODY), VisionSettings()) == 1
