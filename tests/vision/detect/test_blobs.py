import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.detect import blobs

SIZE = (180, 320)


def scores(*boxes: tuple[int, int, int, int], score: float = 4.0) -> np.ndarray:
    picture = np.full(SIZE, 0.3, np.float32)
    for x1, y1, x2, y2 in boxes:
        picture[y1:y2, x1:x2] = score
    return picture


def test_a_solid_body_is_one_blob_with_its_box() -> None:
    [blob] = blobs.find_blobs(scores((100, 50, 125, 120)))

    assert blob.box == pytest.approx((100, 50, 125, 120), abs=1)
    assert blob.area == pytest.approx(25 * 70, rel=0.02)
    assert blob.strength == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize(
    ("box", "score"),
    [
        pytest.param((100, 50, 104, 54), 4.0, id="a speck"),
        pytest.param((100, 50, 125, 120), 0.9, id="noise"),
        pytest.param((100, 50, 125, 120), 1.4, id="a weak flicker without any strong pixel"),
        pytest.param((100, 50, 101, 170), 4.0, id="a line of one pixel"),
    ],
)
def test_is_no_blob(box: tuple[int, int, int, int], score: float) -> None:
    assert blobs.find_blobs(scores(box, score=score)) == []


def test_closes_a_thin_gap() -> None:
    assert len(blobs.find_blobs(scores((100, 50, 125, 80), (100, 82, 125, 120)))) == 1


def test_keeps_bodies_apart() -> None:
    assert len(blobs.find_blobs(scores((50, 50, 75, 120), (150, 50, 175, 120)))) == 2


def test_a_blob_at_the_edge_is_cut_out_with_its_own_mask() -> None:
    [blob] = blobs.find_blobs(scores((0, 0, 20, 60)))

    assert blob.mask_HW.shape == np.zeros(SIZE)[blob.part].shape
    assert np.count_nonzero(blob.mask_HW) == pytest.approx(20 * 60, rel=0.02)


@pytest.mark.parametrize(
    ("boxes", "bodies"),
    [
        pytest.param([(10, 10, 20, 20), (8, 24, 22, 60)], 1, id="a head above a trunk"),
        pytest.param([(10, 10, 20, 20), (8, 24, 22, 60), (9, 64, 21, 90)], 1, id="and legs"),
        pytest.param([(10, 10, 40, 90), (15, 20, 30, 50)], 1, id="one inside the other"),
        pytest.param([(10, 10, 40, 30), (10, 34, 40, 54)], 2, id="two cars behind each other"),
        pytest.param([(10, 10, 30, 90), (34, 10, 54, 90)], 2, id="two people side by side"),
        pytest.param([(10, 10, 20, 20), (10, 60, 22, 100)], 2, id="far above each other"),
        pytest.param(
            [(10, 10, 30, 24), (24, 32, 48, 50), (40, 60, 70, 82)], 3, id="a queue of cars"
        ),
        pytest.param([], 0, id="nothing"),
    ],
)
def test_puts_fragments_of_a_body_together(
    boxes: list[tuple[int, int, int, int]], bodies: int
) -> None:
    groups = blobs.body_groups(np.array(boxes, np.float32).reshape(-1, 4))

    assert len(set(groups.tolist())) == bodies


@given(
    st.lists(
        st.tuples(
            st.integers(0, 200), st.integers(0, 100), st.integers(3, 100), st.integers(3, 60)
        ),
        max_size=12,
    )
)
def test_every_fragment_gets_a_group_and_groups_have_no_gaps(
    places: list[tuple[int, int, int, int]],
) -> None:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in places], np.float32).reshape(-1, 4)

    groups = blobs.body_groups(boxes)

    assert sorted(set(groups.tolist())) == list(range(len(set(groups.tolist()))))
    assert len(groups) == len(places)


def textured(seed: int = 2) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(60, 180, (60, 60)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(noise, (5, 5), 0) * 2 - 120, np.float32)


def disc() -> np.ndarray:
    return np.asarray(cv2.circle(np.zeros((60, 60), np.uint8), (30, 30), 18, 255, -1))


def test_a_thing_is_no_ghost() -> None:
    scene = np.full((60, 60), 120, np.float32)
    thing = np.where(disc() > 0, np.float32(40), scene)

    assert not blobs.is_ghost(disc(), thing, scene)


def test_the_hole_that_a_thing_leaves_is_a_ghost() -> None:
    scene = np.full((60, 60), 120, np.float32)
    learnt_with_thing = np.where(disc() > 0, np.float32(40), scene)

    assert blobs.is_ghost(disc(), scene, learnt_with_thing)


def test_a_thing_before_a_textured_wall_is_no_ghost() -> None:
    scene = textured()
    thing = np.where(disc() > 0, np.float32(0), scene)

    assert not blobs.is_ghost(disc(), thing, scene)


def test_a_shadow_on_texture_is_light() -> None:
    scene = textured()

    assert blobs.is_light(disc(), np.where(disc() > 0, scene * np.float32(0.6), scene), scene)


def test_another_texture_is_no_light() -> None:
    assert not blobs.is_light(disc(), textured(seed=9), textured(seed=2))


def test_a_plain_thing_before_a_plain_wall_is_not_taken_for_light() -> None:
    scene = np.full((60, 60), 120, np.float32)

    assert not blobs.is_light(disc(), scene * np.float32(0.6), scene)


def test_confidence_grows_with_contrast_fill_and_size() -> None:
    clear = blobs.confidence(strength=4.0, fill=0.6, size=10)

    assert clear > 0.6
    assert blobs.confidence(strength=1.5, fill=0.6, size=10) < clear
    assert blobs.confidence(strength=4.0, fill=0.1, size=10) < clear
    assert blobs.confidence(strength=4.0, fill=0.6, size=1) < clear


@given(st.floats(0, 100), st.floats(0, 1), st.floats(0, 1000))
def test_confidence_lies_in_0_to_1(strength: float, fill: float, size: float) -> None:
    assert 0.0 <= blobs.confidence(strength=strength, fill=fill, size=size) < 1.0
