import numpy as np
import pytest

from tests.fakes.scuffles import court, walking
from vision.cues.motion_field import FlowReader, camera_motion, field_picture


def test_where_nothing_moves_there_is_no_motion() -> None:
    still = field_picture(court())

    step = FlowReader().read(still, still)

    assert not step.moved_HW.any()
    assert step.shake == pytest.approx(0.0, abs=0.05)


def test_a_walker_is_where_it_moved_and_goes_to_the_right() -> None:
    step = FlowReader().read(field_picture(walking(0)), field_picture(walking(1)))

    rows, columns = np.nonzero(step.moved_HW)
    assert columns.min() >= 40
    assert columns.max() <= 80
    assert rows.min() >= 50
    assert rows.max() <= 85
    assert step.right_HW[step.moved_HW].mean() > 1.0


def test_flow_is_stated_as_over_a_fifth_of_a_second() -> None:
    before, after = field_picture(walking(0)), field_picture(walking(1))

    slow = FlowReader().read(before, after, step_s=0.4)
    fast = FlowReader().read(before, after, step_s=0.2)

    moved_HW = slow.moved_HW & fast.moved_HW
    ratio = fast.right_HW[moved_HW].mean() / slow.right_HW[moved_HW].mean()
    assert ratio == pytest.approx(2.0, rel=0.05)


def test_a_camera_that_moves_moves_nothing_in_its_scene() -> None:
    wide = court(width=360)
    before, after = wide[:, 20:340], wide[:, 24:344]

    step = FlowReader().read(field_picture(before), field_picture(after))

    assert step.shake == pytest.approx(3.0, abs=0.6)
    assert step.moved_HW.mean() < 0.03


def test_another_light_is_no_motion() -> None:
    before = field_picture(court())
    after = (before + 25).astype(np.uint8)

    assert FlowReader().read(before, after).moved_HW.mean() < 0.01


def test_a_still_camera_needs_no_correction() -> None:
    flow_HW2 = np.zeros((90, 160, 2), np.float32)
    flow_HW2[20:40, 20:40] = 6.0

    correction, shake = camera_motion(flow_HW2)

    assert correction is None
    assert shake < 0.25


@pytest.mark.parametrize("size", [(640, 360), (320, 180), (100, 60), (90, 400)])
def test_pictures_of_any_shape_are_made_small(size: tuple[int, int]) -> None:
    small = field_picture(np.zeros((size[1], size[0], 3), np.uint8))

    assert small.shape[1] <= 240
    assert small.shape[0] <= 180
    assert small.shape[1] / small.shape[0] == pytest.approx(size[0] / size[1], rel=0.03)
