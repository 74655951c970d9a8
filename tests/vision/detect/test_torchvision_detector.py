import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from torchvision.models import (  # type: ignore[import-untyped]  # the package has no types
    get_model,
)

from contracts.errors import ConfigError, ModelError
from contracts.frames import Frame
from tests.fakes.builders import frame
from tests.vision.detect.tiny_models import write_torchvision_model
from vision.detect.model_card import ModelCard, write_card
from vision.detect.torchvision_detector import TorchvisionDetector

ARCHITECTURE = "ssdlite320_mobilenet_v3_large"
LEAST = 0.001


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random ssdlite320 of background, person, motorcycle; leave it be."""
    path = write_torchvision_model(tmp_path_factory.mktemp("ssd") / "site.safetensors")
    path.with_suffix(".names").write_text("Person\nmotorbike\n")
    return path


@pytest.fixture
def weights(published: Path, tmp_path: Path) -> Path:
    """The same, to be damaged."""
    shutil.copy(published.with_suffix(".names"), tmp_path / "site.names")
    return Path(shutil.copy(published, tmp_path / "site.safetensors"))


def detector(path: Path, *, confidence: float = LEAST) -> TorchvisionDetector:
    return TorchvisionDetector(path, confidence=confidence, names=path.with_suffix(".names"))


def picture(height: int, width: int) -> Frame:
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    return Frame(header=frame().header, pixels_HW3=pixels)


def rewrite(path: Path, *, drop: str = "", fill: tuple[str, float] = ("", 0.0)) -> None:
    """Write the file anew without a tensor, or with all of a part set to a value."""
    tensors = load_file(path)
    name, value = fill
    for key in list(tensors):
        if drop and drop in key:
            del tensors[key]
        elif name and name in key and tensors[key].dtype == np.float32:
            tensors[key] = np.full_like(tensors[key], value)
    save_file(tensors, path, metadata={"architecture": ARCHITECTURE})


def test_finds_boxes_inside_the_picture(published: Path) -> None:
    made = detector(published)

    [found] = made.detect([picture(90, 160)])

    assert made.identity.name == f"torchvision:{ARCHITECTURE}"
    assert made.labels == ("background", "person", "motorcycle")
    assert 0 < len(found) <= 300
    assert (found.boxes_N4 >= 0).all()
    assert (found.boxes_N4 <= 1).all()
    assert (found.class_ids_N > 0).all()


def test_the_answer_is_that_of_torchvision_itself(published: Path) -> None:
    seen = picture(90, 160)
    model = get_model(ARCHITECTURE, weights=None, weights_backbone=None, num_classes=3).eval()
    state = {name: torch.from_numpy(value) for name, value in load_file(published).items()}
    model.load_state_dict(state)
    rgb = torch.from_numpy(seen.pixels_HW3[:, :, ::-1].transpose(2, 0, 1).copy()).float() / 255
    with torch.inference_mode():
        [wanted] = model([rgb])

    [found] = detector(published).detect([seen])

    assert found.confidences_N == pytest.approx(wanted["scores"].numpy(), abs=1e-5)
    boxes = wanted["boxes"].numpy() / [160, 90, 160, 90]
    assert found.boxes_N4 == pytest.approx(boxes.clip(0, 1), abs=1e-4)


def test_the_file_name_says_which_model_it_is(published: Path, tmp_path: Path) -> None:
    path = tmp_path / f"{ARCHITECTURE}.safetensors"
    save_file(load_file(published), path)
    shutil.copy(published.with_suffix(".names"), path.with_suffix(".names"))

    assert detector(path).identity.name == f"torchvision:{ARCHITECTURE}"


def test_a_state_as_torchvision_publishes_it_needs_no_counters(weights: Path) -> None:
    rewrite(weights, drop="num_batches_tracked")

    assert len(detector(weights).detect([picture(90, 160)])[0]) > 0


def test_without_names_the_classes_are_those_of_coco(tmp_path: Path) -> None:
    path = write_torchvision_model(tmp_path / "coco.safetensors", classes=91)

    labels = TorchvisionDetector(path).labels

    assert len(labels) == 91
    assert labels[:4] == ("background", "person", "bicycle", "car")


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 4000), (4320, 7680)])
def test_the_smallest_the_thinnest_and_the_largest_picture_are_looked_at(
    published: Path, height: int, width: int
) -> None:
    pixels = np.full((height, width, 3), 128, np.uint8)
    [found] = detector(published).detect([Frame(header=frame().header, pixels_HW3=pixels)])

    assert np.isfinite(found.boxes_N4).all()


def test_another_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "crystal_ball.safetensors"
    save_file({"ball": np.zeros(3, np.float32)}, path)

    with pytest.raises(ConfigError, match=r"'crystal_ball' is no detection model .*ssdlite320"):
        TorchvisionDetector(path)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".pkl"])
def test_a_pickle_is_never_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"{ARCHITECTURE}{suffix}"
    path.write_bytes(b"\x80\x04.")

    with pytest.raises(ConfigError, match="are pickles, which can run code"):
        TorchvisionDetector(path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_cut_file_is_refused(weights: Path, share: float) -> None:
    content = weights.read_bytes()
    weights.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(ModelError, match="is the file complete"):
        detector(weights)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.safetensors: cannot be read: No such file"):
        TorchvisionDetector(tmp_path / "absent.safetensors")


def test_tensors_that_lack_are_named(weights: Path) -> None:
    rewrite(weights, drop="classification_head")

    with pytest.raises(ModelError, match=r"\d+ missing \(head\.classification_head"):
        detector(weights)


def test_another_number_of_classes_says_what_to_do(weights: Path) -> None:
    weights.with_suffix(".names").write_text("person\nforklift\npallet\n")

    with pytest.raises(ModelError, match=r"with 4 classes .*wanted .*a \.names file beside it"):
        detector(weights)


def test_weights_that_changed_since_they_were_fetched_are_refused(weights: Path) -> None:
    card = ModelCard(
        name="site", family="torchvision", licence="", source="", sha256={weights.name: "0" * 64}
    )
    write_card(weights.parent, card)

    with pytest.raises(ModelError, match=r"checksum is sha256"):
        detector(weights)


def test_weights_that_are_no_numbers_are_refused(weights: Path) -> None:
    rewrite(weights, fill=("classification_head", float("nan")))

    with pytest.raises(ModelError, match=r"\d+ of \d+ tensors hold NaN or infinite numbers"):
        detector(weights)


def test_scores_that_overflow_are_an_error_and_not_silence(weights: Path) -> None:
    rewrite(weights, fill=("classification_head.module_list.0.0.1.bias", 6.0))
    rewrite(weights, fill=("classification_head.module_list.0.1.", 3e38))

    with pytest.raises(ModelError, match="head answered NaN or infinite numbers on a picture"):
        detector(weights).detect([picture(90, 160)])


@pytest.mark.parametrize(("shape", "advice"), [((90, 160), "GRAY2BGR"), ((90, 160, 4), "BGRA2BGR")])
def test_pictures_of_another_layout_are_refused(
    published: Path, shape: tuple[int, ...], advice: str
) -> None:
    odd = Frame(header=frame().header, pixels_HW3=np.zeros(shape, np.uint8))

    with pytest.raises(ValueError, match=rf"camera cam, frame f_0: .*{advice}"):
        detector(published).detect([odd])
