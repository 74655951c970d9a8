import math
from dataclasses import replace

import pytest

from contracts.geometry import Box, Point
from contracts.tracks import Track, TrackPoint, TrackState
from tests.fakes.tracks import followed, header_at, missed
from vision.cues.company import Company, cover

BAG: Box = (0.44, 0.7, 0.48, 0.8)


def walk(end_s: float, *, x: float = 0.4, track_id: str = "t1", label: str = "person") -> Track:
    return followed(
        [(round(at * 0.2, 1), (x, 0.8)) for at in range(round(end_s * 5) + 1)],
        track_id=track_id,
        label=label,
    )


def test_who_was_in_reach_when_it_appeared_left_it() -> None:
    company = Company()
    for step in range(11):
        company.look([walk(step / 5)], header_at(step / 5))

    assert company.beside(BAG, start_s=1.0, end_s=2.0) == "t1"
    assert company.beside((0.9, 0.7, 0.95, 0.8), start_s=1.0, end_s=2.0) is None
    assert company.beside(BAG, start_s=5.0, end_s=6.0) is None


def test_a_vehicle_leaves_nothing() -> None:
    company = Company()
    company.look([walk(0.0, label="car")], header_at(0.0))

    assert company.beside(BAG, start_s=0.0, end_s=1.0) is None


def test_a_thing_that_a_detector_sees_is_nobody() -> None:
    company = Company()

    assert company.look([walk(0.0, label="backpack")], header_at(0.0)) == []


def test_what_nobody_can_name_is_somebody_once_it_has_moved() -> None:
    company = Company()
    moving = followed([(0.0, (0.1, 0.8)), (0.2, (0.3, 0.8))], label="object")

    assert company.look([followed([(0.0, (0.1, 0.8))], label="object")], header_at(0.0)) == []
    assert [one.track_id for one in company.look([moving], header_at(0.2))] == ["t1"]


def test_whoever_appears_where_somebody_was_lost_is_the_same() -> None:
    company = Company()
    first = walk(1.0)
    company.look([first], header_at(1.0))
    company.look([missed(first, 1.2)], header_at(1.2))
    again = followed([(2.0, (0.42, 0.8)), (2.2, (0.42, 0.8))], track_id="t2")
    company.look([again], header_at(2.2))

    assert company.now_called("t1") == "t2"
    found = company.track("t1")
    assert found is not None
    assert found.track_id == "t2"


@pytest.mark.parametrize(
    ("begins", "is_he"),
    [
        pytest.param([(3.0, (0.85, 0.8)), (3.2, (0.83, 0.8))], False, id="from within"),
        pytest.param([(3.0, (0.98, 0.9)), (3.2, (0.95, 0.9))], True, id="back over the edge"),
        pytest.param([(3.0, (0.94, 0.8)), (3.2, (0.92, 0.8))], True, id="where he was last"),
    ],
)
def test_who_walked_out_does_not_come_in_elsewhere(
    begins: list[tuple[float, Point]], is_he: bool
) -> None:
    company = Company()
    leaver = followed([(0.2 * step, (0.90 + 0.016 * step, 0.8)) for step in range(6)])
    company.look([leaver], header_at(1.0))
    company.look([missed(leaver, 1.2)], header_at(1.2))

    company.look([followed(begins, track_id="t2")], header_at(3.2))

    assert (company.now_called("t1") == "t2") == is_he


def test_who_was_lost_standing_at_the_edge_may_appear_beside_it() -> None:
    company = Company()
    stood = walk(1.0, x=0.97)
    company.look([stood], header_at(1.0))
    company.look([missed(stood, 1.2)], header_at(1.2))

    company.look([walk(3.2, x=0.88, track_id="t2")], header_at(3.2))

    assert company.now_called("t1") == "t1"  # it was there at the same time
    again = followed([(3.0, (0.88, 0.8)), (3.2, (0.88, 0.8))], track_id="t3")
    company.look([again], header_at(3.2))
    assert company.now_called("t1") == "t3"


def test_somebody_lost_over_a_place_may_be_there_still() -> None:
    company = Company()
    stood = walk(1.0)
    company.look([stood], header_at(1.0))
    assert not company.vanished_at((0.38, 0.7, 0.42, 0.8))

    company.look([missed(stood, 2.0)], header_at(2.0))

    assert company.vanished_at((0.38, 0.7, 0.42, 0.8))
    assert not company.vanished_at((0.8, 0.7, 0.84, 0.8))


def test_what_somebody_was_first_seen_as_was_he() -> None:
    company = Company()
    company.look([walk(1.0)], header_at(1.0))
    x1, y1, x2, y2 = walk(0.0).last.box

    assert company.was((x1, y1, x2, y2 - 0.3 * (y2 - y1)))
    assert not company.was((x1, y1 + 0.6 * (y2 - y1), x2, y2))
    assert not company.was((x1 + 0.5, y1, x2 + 0.5, y2))


@pytest.mark.parametrize(
    ("box", "is_he"),
    [
        pytest.param((0.4, 0.64, 0.42, 0.79), True, id="as tall as he"),
        pytest.param((0.4, 0.72, 0.42, 0.79), False, id="a bag at his feet"),
        pytest.param((0.6, 0.64, 0.62, 0.79), False, id="beside him"),
        pytest.param((0.2, 0.64, 0.42, 0.79), False, id="wider than he"),
    ],
)
def test_what_is_as_tall_as_who_stood_there_is_he(box: Box, is_he: bool) -> None:
    """Somebody passed behind him, took his track along, and he stood there as a thing."""
    company = Company()
    company.look([walk(1.0)], header_at(1.0))

    assert company.stood_at(box) == is_he

    company.look([], header_at(12.0))

    assert not company.stood_at(box)


def test_distances_are_in_body_heights() -> None:
    company = Company()
    company.look([walk(0.2)], header_at(0.2))

    # From x = 0.425 to 0.525 of the width are 0.178 of the height; he is 0.2 tall.
    assert company.nearest((0.525, 0.7, 0.6, 0.8)) == pytest.approx(0.1 * 640 / 360 / 0.2, rel=0.01)
    assert Company().nearest(BAG) == math.inf


def test_the_forgotten_are_nobody() -> None:
    company = Company()
    company.look([walk(0.2)], header_at(0.2))
    for at_s in range(1, 400, 20):
        company.look([], header_at(float(at_s)))

    assert company.track("t1") is None


def test_the_cover_stays_in_the_picture() -> None:
    track = followed([(0.0, (0.0, 1.0))], state=TrackState.CONFIRMED)

    covered = cover([track], (18, 32), header_at(0.0))

    assert covered.shape == (18, 32)
    assert covered[17, 0] == 255
    assert covered[0, 31] == 0


def seen_at(at_s: float, box: Box) -> TrackPoint:
    return replace(walk(0.0).last, seq=round(5 * at_s), monotonic_s=at_s, box=box)


@pytest.mark.parametrize(
    ("before", "is_covered"),
    [
        pytest.param((0.4, 0.2, 0.6, 0.9), True, id="his legs were seen there"),
        pytest.param((0.4, 0.2, 0.6, 0.5), False, id="nobody saw legs"),
        pytest.param((0.1, 0.2, 0.3, 0.9), False, id="he was elsewhere"),
        pytest.param((0.4, 0.5, 0.6, 0.9), False, id="he has got up, or gone away"),
    ],
)
def test_who_is_seen_to_the_waist_covers_his_legs(before: Box, is_covered: bool) -> None:
    points = (seen_at(0.0, before), seen_at(4.0, (0.4, 0.2, 0.6, 0.5)))
    track = replace(walk(0.0), points=points)

    covered = cover([track], (100, 100), header_at(4.0))

    assert covered[40, 50] == 255
    assert bool(covered[80, 50]) == is_covered
    assert covered[80, 15] == 0


def test_legs_are_forgotten() -> None:
    points = (seen_at(0.0, (0.4, 0.2, 0.6, 0.9)), seen_at(11.0, (0.4, 0.2, 0.6, 0.5)))

    covered = cover([replace(walk(0.0), points=points)], (100, 100), header_at(11.0))

    assert covered[80, 50] == 0
