from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError, ModelError
from contracts.frames import Frame
from contracts.geometry import iou
from tests.fakes.builders import frame
from tests.vision.detect.onnx_files import write_constant_model
from vision.detect.model_card import ModelCard, write_card
from vision.detect.yolox import (
    YoloxDetector,
    anchor_grid,
    decode,
    letterbox,
    looks_decoded,
    suppress,
    to_corners,
)

SIZE = (64, 64)
ANCHORS = 84  # 8 x 8 + 4 x 4 + 2 x 2


def raw_output(*objects: tuple[int, float, int], classes: int = 1) -> np.ndarray:
    """Nothing but (anchor, objectness, class), each of one stride's size around its point."""
    output = np.zeros((1, ANCHORS, 5 + classes), np.float32)
    for anchor, objectness, class_id in objects:
        output[0, anchor, 4] = objectness
        output[0, anchor, 5 + class_id] = 1.0
    return output


def detector(tmp_path: Path, output: np.ndarray, *, names: Path | None = None) -> YoloxDetector:
    return YoloxDetector(write_constant_model(tmp_path / "tiny.onnx", output), names=names)


def wide_frame() -> Frame:
    """640 x 360: scaled by 0.1 into the model's 64 x 64."""
    return frame()


def test_boxes_are_decoded_and_mapped_back_to_the_picture(tmp_path: Path) -> None:
    # Anchor 27 is column 3, row 3 of the finest grid: its corner lies at (24, 24), so the box
    # of side 8 around it spans 20 to 28 of the model, 200 to 280 of the picture.
    [found] = detector(tmp_path, raw_output((27, 0.9, 0))).detect([wide_frame()])

    assert found.boxes_N4[0] == pytest.approx([200 / 640, 200 / 360, 280 / 640, 280 / 360])
    assert found.confidences_N[0] == pytest.approx(0.9)
    assert found.label(0) == "person"


def test_a_model_that_decodes_itself_gives_the_same_boxes(tmp_path: Path) -> None:
    output = raw_output((27, 0.9, 0))
    decoded = output.copy()
    decoded[0, :, :4] = decode(output[0], anchor_grid(SIZE, ANCHORS))

    [plain] = detector(tmp_path, output).detect([wide_frame()])
    [itself] = detector(tmp_path, decoded).detect([wide_frame()])

    assert itself.boxes_N4 == pytest.approx(plain.boxes_N4)


def test_says_nothing_of_what_it_is_not_sure(tmp_path: Path) -> None:
    [found] = detector(tmp_path, raw_output((27, 0.05, 0))).detect([wide_frame()])

    assert len(found) == 0
    assert found.boxes_N4.shape == (0, 4)


def test_what_lies_in_the_padding_is_no_detection(tmp_path: Path) -> None:
    # Row 6 of the finest grid begins at 48 of the model; the picture ends at 36.
    [found] = detector(tmp_path, raw_output((6 * 8 + 3, 0.9, 0))).detect([wide_frame()])

    assert len(found) == 0


def test_answers_several_frames_in_order(tmp_path: Path) -> None:
    found = detector(tmp_path, raw_output((27, 0.9, 0))).detect([wide_frame(), wide_frame()])

    assert [len(detections) for detections in found] == [1, 1]


def test_knows_its_classes_and_its_file(tmp_path: Path) -> None:
    found = detector(tmp_path, raw_output(classes=80))

    assert len(found.labels) == 80
    assert found.identity.name == "yolox:tiny"
    assert len(found.identity.sha256) == 64


def test_names_may_come_from_a_file(tmp_path: Path) -> None:
    names = tmp_path / "tiny.names"
    names.write_text("forklift\npallet\n")

    found = detector(tmp_path, raw_output((27, 0.9, 1), classes=2), names=names)

    assert found.detect([wide_frame()])[0].label(0) == "pallet"


def test_unknown_classes_need_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has 3 classes"):
        detector(tmp_path, raw_output(classes=3))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        pytest.param(np.zeros((1, ANCHORS), np.float32), "output must have shape", id="flat"),
        pytest.param(np.zeros((1, 80, 6), np.float32), "has 80", id="wrong number of anchors"),
        pytest.param(
            np.zeros((1, ANCHORS, 5), np.float32), "output must have shape", id="no classes"
        ),
        pytest.param(
            np.full((1, ANCHORS, 6), np.nan, np.float32), "NaN or infinite", id="not numbers"
        ),
        pytest.param(
            np.full((1, ANCHORS, 6), -3.0, np.float32), r"must lie in 0\.\.1", id="before sigmoid"
        ),
    ],
)
def test_refuses_what_is_no_yolox(tmp_path: Path, output: np.ndarray, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        detector(tmp_path, output)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 4000), (4320, 7680)])
def test_the_smallest_the_thinnest_and_the_largest_picture_are_looked_at(
    tmp_path: Path, height: int, width: int
) -> None:
    pixels = np.full((height, width, 3), 128, np.uint8)
    looked_at = Frame(header=wide_frame().header, pixels_HW3=pixels)

    [found] = detector(tmp_path, raw_output((27, 0.9, 0))).detect([looked_at])

    assert np.isfinite(found.boxes_N4).all()


@pytest.mark.parametrize(("shape", "advice"), [((90, 160), "GRAY2BGR"), ((90, 160, 4), "BGRA2BGR")])
def test_pictures_of_another_layout_are_refused(
    tmp_path: Path, shape: tuple[int, ...], advice: str
) -> None:
    odd = Frame(header=wide_frame().header, pixels_HW3=np.zeros(shape, np.uint8))

    with pytest.raises(ValueError, match=rf"camera cam, frame f_0: .*{advice}"):
        detector(tmp_path, raw_output()).detect([odd])


def test_a_file_that_changed_since_it_was_fetched_is_refused(tmp_path: Path) -> None:
    card = ModelCard(
        name="tiny", family="yolox", licence="", source="", sha256={"tiny.onnx": "0" * 64}
    )
    write_card(tmp_path, card)

    with pytest.raises(ModelError, match=r"tiny\.onnx: checksum is sha256"):
        detector(tmp_path, raw_output())


@pytest.mark.parametrize("input_shape", [(1, 1, 64, 64), (1, 3, 60, 64), (1, 3, 4096)])
def test_refuses_another_input(tmp_path: Path, input_shape: tuple[int, ...]) -> None:
    path = write_constant_model(tmp_path / "tiny.onnx", raw_output(), input_shape=input_shape)

    with pytest.raises(ModelError, match="input"):
        YoloxDetector(path)


@given(st.integers(8, 700), st.integers(8, 700))
def test_letterbox_keeps_the_shape_and_pads_below_and_right(height: int, width: int) -> None:
    batch, scale = letterbox(np.full((height, width, 3), 200, np.uint8), (96, 128))

    assert batch.shape == (1, 3, 96, 128)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    assert rows == 96 or columns == 128
    assert (batch[0, :, :rows, :columns] == 200).all()
    assert (batch[0, :, rows:] == 114).all()
    assert (batch[0, :, :, columns:] == 114).all()


def test_letterbox_keeps_blue_green_red_and_their_range() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:] = (10, 20, 255)

    batch, _ = letterbox(picture, SIZE)

    assert batch[0, :, 5, 5].tolist() == [10.0, 20.0, 255.0]


def test_the_grid_takes_the_strides_that_fit() -> None:
    assert anchor_grid((416, 416), 3549).shape == (3549, 3)
    assert anchor_grid((192, 192), None).shape == (756, 3)
    assert set(anchor_grid((128, 128), 340)[:, 2]) == {8, 16, 32, 64}


def test_a_wild_size_does_not_overflow() -> None:
    output = raw_output()
    output[0, :, 2:4] = 1e6

    assert np.isfinite(decode(output[0], anchor_grid(SIZE, ANCHORS))).all()


def test_tells_decoded_boxes_from_offsets_whatever_their_noise() -> None:
    grid = anchor_grid((416, 416), 3549)
    offsets = np.random.default_rng(1).normal(0.5, 2.0, (3549, 85)).astype(np.float32)

    assert not looks_decoded(offsets, grid)
    assert looks_decoded(decode(offsets, grid), grid)


def test_suppression_keeps_the_best_of_a_class_and_other_classes() -> None:
    boxes = np.array(
        [[0.1, 0.1, 0.3, 0.3], [0.11, 0.1, 0.31, 0.3], [0.1, 0.1, 0.3, 0.3], [0.6, 0.6, 0.9, 0.9]],
        np.float32,
    )

    kept = suppress(boxes, np.array([0.5, 0.9, 0.4, 0.3], np.float32), np.array([0, 0, 1, 0]))

    assert kept.tolist() == [1, 2, 3]


@given(st.lists(st.tuples(st.floats(0, 0.8), st.floats(0, 0.8), st.integers(0, 2)), max_size=30))
def test_no_two_kept_boxes_of_a_class_overlap_much(
    places: list[tuple[float, float, int]],
) -> None:
    boxes = np.array([(x, y, x + 0.2, y + 0.2) for x, y, _ in places], np.float32).reshape(-1, 4)
    classes = np.array([class_id for _, _, class_id in places], np.int64)

    kept = suppress(boxes, np.linspace(1, 0.5, len(places)).astype(np.float32), classes)

    for position, first in enumerate(kept):
        for second in kept[position + 1 :]:
            if classes[first] == classes[second]:
                assert iou(tuple(boxes[first].tolist()), tuple(boxes[second].tolist())) < 0.46


def test_corners_of_centre_and_sides() -> None:
    assert to_corners(np.array([[10, 20, 4, 8]], np.float32)).tolist() == [[8, 16, 12, 24]]


@pytest.mark.data
@pytest.mark.parametrize(
    ("path", "labels", "size"),
    [
        ("yolox_nano_coco/yolox_nano.onnx", 80, "416"),
        ("yolox_nano_person/model.onnx", 1, "192"),
    ],
)
def test_published_models_load_and_see_nobody_in_a_grey_frame(
    shared: Path, path: str, labels: int, size: str
) -> None:
    found = YoloxDetector(shared / "weights" / path)

    assert len(found.labels) == labels
    assert found.labels[0] == "person"
    assert len(found.detect([wide_frame()])[0]) == 0, f"at {size} pixels"


@pytest.mark.data
def test_a_cut_download_of_a_published_model_is_refused(shared: Path, tmp_path: Path) -> None:
    content = (shared / "weights/yolox_nano_coco/yolox_nano.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(content[:1_000_000])

    with pytest.raises(ModelError, match="1000000 bytes"):
        YoloxDetector(path)
