import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from contracts.errors import ConfigError, ModelError
from contracts.frames import Frame
from tests.fakes.builders import frame
from tests.vision.detect.tiny_models import MODEL_TYPES, write_transformers_model
from vision.detect.model_card import ModelCard, write_card
from vision.detect.transformers_detector import TransformersDetector, best_classes, require_outputs


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A D-FINE as its publisher offers it; leave it be."""
    return write_transformers_model(tmp_path_factory.mktemp("published"), "d_fine")


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """The same, to be damaged."""
    return shutil.copytree(published, tmp_path / "dfine")


def picture(height: int, width: int) -> Frame:
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    return Frame(header=frame().header, pixels_HW3=pixels)


def change_weights(folder: Path, name: str, value: float) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    changed = {key: np.full_like(old, value) for key, old in tensors.items() if name in key}
    tensors.update(changed)
    save_file(tensors, path, metadata={"format": "pt"})


@pytest.mark.parametrize("model_type", sorted(MODEL_TYPES))
def test_every_model_type_finds_boxes_inside_the_picture(model_type: str, tmp_path: Path) -> None:
    detector = TransformersDetector(
        write_transformers_model(tmp_path / "tiny", model_type), confidence=0.001
    )

    first, second = detector.detect([picture(90, 160), picture(90, 160)])

    assert detector.identity.name == f"{model_type}:tiny"
    assert len(detector.identity.sha256) == 64
    assert detector.labels == ("person", "motorcycle")
    assert 0 < len(first) <= 10
    assert (first.boxes_N4 >= 0).all()
    assert (first.boxes_N4 <= 1).all()
    assert (first.boxes_N4[:, 2:] > first.boxes_N4[:, :2]).all()
    assert second.confidences_N == pytest.approx(first.confidences_N, abs=1e-5)


def test_the_answer_is_that_of_the_package_itself(published: Path) -> None:
    """Against its own post-processing: the best class of each query, in the picture's pixels."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    seen = picture(90, 160)
    processor = transformers.AutoImageProcessor.from_pretrained(published)
    model = transformers.AutoModelForObjectDetection.from_pretrained(published).eval()
    rgb = seen.pixels_HW3[:, :, ::-1].copy()
    with torch.inference_mode():
        output = model(**processor(images=[rgb], return_tensors="pt"))
    [wanted] = processor.post_process_object_detection(
        output, threshold=0.0, target_sizes=[(90, 160)]
    )
    best = int(wanted["scores"].argmax())

    [found] = TransformersDetector(published, confidence=0.001).detect([seen])

    assert found.confidences_N[0] == pytest.approx(float(wanted["scores"][best]), abs=1e-5)
    assert found.class_ids_N[0] == int(wanted["labels"][best])
    box = wanted["boxes"][best].numpy() / [160, 90, 160, 90]
    assert found.boxes_N4[0] == pytest.approx(box.clip(0, 1), abs=1e-4)


def test_cameras_of_different_sizes_are_answered_in_order(published: Path) -> None:
    detector = TransformersDetector(published, confidence=0.001)
    frames = [picture(90, 160), picture(120, 80), picture(90, 160)]

    together = detector.detect(frames)

    for one, found in zip(frames, together, strict=True):
        [alone] = detector.detect([one])
        assert found.confidences_N == pytest.approx(alone.confidences_N, abs=1e-5)
        assert found.boxes_N4 == pytest.approx(alone.boxes_N4, abs=1e-5)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 4000), (4320, 7680)])
def test_the_smallest_the_thinnest_and_the_largest_picture_are_looked_at(
    published: Path, height: int, width: int
) -> None:
    pixels = np.full((height, width, 3), 128, np.uint8)
    [found] = TransformersDetector(published, confidence=0.001).detect(
        [Frame(header=frame().header, pixels_HW3=pixels)]
    )

    assert np.isfinite(found.boxes_N4).all()


def test_says_nothing_of_what_it_is_not_sure(published: Path) -> None:
    [found] = TransformersDetector(published, confidence=0.999).detect([picture(90, 160)])

    assert len(found) == 0
    assert found.labels == ("person", "motorcycle")


@pytest.mark.parametrize(
    "missing", ["config.json", "preprocessor_config.json", "model.safetensors"]
)
def test_a_folder_that_lacks_a_file_says_which(folder: Path, missing: str) -> None:
    (folder / missing).unlink()

    with pytest.raises(ConfigError, match=rf"{missing} not found; wanted: .*vigil models pull"):
        TransformersDetector(folder)


def test_a_pickle_is_never_read(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(ConfigError, match=r"model\.safetensors not found"):
        TransformersDetector(folder)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_cut_weights_are_refused(folder: Path, share: float) -> None:
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(ModelError, match="are the files complete"):
        TransformersDetector(folder)


def test_weights_of_another_model_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file(
        {key: value for key, value in tensors.items() if "class_embed" not in key},
        path,
        metadata={"format": "pt"},
    )

    with pytest.raises(ModelError, match=r"lacks \d+ of the model's tensors, for instance"):
        TransformersDetector(folder)


def test_weights_that_changed_since_they_were_fetched_are_refused(folder: Path) -> None:
    card = ModelCard(
        name="dfine",
        family="transformers",
        licence="Apache-2.0",
        source="here",
        sha256={"model.safetensors": "0" * 64},
    )
    write_card(folder, card)

    with pytest.raises(ModelError, match=r"checksum is sha256 .* model\.json beside it states 000"):
        TransformersDetector(folder)


def test_a_config_that_is_no_json_is_named(folder: Path) -> None:
    (folder / "config.json").write_text("<html>404</html>")

    with pytest.raises(ModelError, match=r"config\.json: is not valid JSON"):
        TransformersDetector(folder)


@pytest.mark.parametrize("content", ["[]", "{}", '{"model_type": 3}'])
def test_a_config_without_a_model_type_is_named(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)

    with pytest.raises(ModelError, match="names no model_type"):
        TransformersDetector(folder)


def test_a_model_of_another_kind_is_answered_with_the_known_ones(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))

    with pytest.raises(ConfigError, match=r"'bert' is no object detector .* d_fine, .*yolos"):
        TransformersDetector(folder)


def test_code_that_comes_with_a_model_is_not_run(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForObjectDetection": "evil.Evil", "AutoConfig": "evil.Config"}
    (folder / "config.json").write_text(json.dumps(config))
    witness = folder / "ran"
    (folder / "evil.py").write_text(f"open({str(witness)!r}, 'w').close()\n")

    TransformersDetector(folder)

    assert not witness.exists()


def test_scores_that_are_no_numbers_are_an_error(folder: Path) -> None:
    change_weights(folder, "class_embed", float("nan"))

    with pytest.raises(ModelError, match=r"\d+ of \d+ class scores are NaN or infinite"):
        TransformersDetector(folder).detect([picture(90, 160)])


def test_more_classes_than_the_weights_have_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["id2label"]["2"] = "car"
    (folder / "config.json").write_text(json.dumps(config))

    with pytest.raises(ModelError, match=f"{folder}: transformers cannot load it"):
        TransformersDetector(folder)


@pytest.mark.parametrize(
    ("logits", "boxes"),
    [
        ((1, 10, 3), (1, 10, 4)),
        ((1, 10, 2), (1, 9, 4)),
        ((1, 10, 2), (1, 10, 5)),
        ((2, 10, 2), (2, 10, 4)),
        ((10, 2), (10, 4)),
        ((1, 0, 2), (1, 0, 4)),
    ],
)
def test_outputs_of_another_shape_are_an_error(
    logits: tuple[int, ...], boxes: tuple[int, ...]
) -> None:
    with pytest.raises(ModelError, match=r"here: outputs must have shapes \(1, queries, 2\) and"):
        require_outputs(
            np.zeros(logits, np.float32),
            np.zeros(boxes, np.float32),
            pictures=1,
            classes=2,
            where="here",
        )


@pytest.mark.parametrize(
    ("shape", "advice"), [((90, 160), "GRAY2BGR"), ((90, 160, 4), "BGRA2BGR"), ((0, 0, 3), "got")]
)
def test_pictures_of_another_layout_are_refused(
    published: Path, shape: tuple[int, ...], advice: str
) -> None:
    odd = Frame(header=frame().header, pixels_HW3=np.zeros(shape, np.uint8))

    with pytest.raises(ValueError, match=rf"camera cam, frame f_0: .*{advice}"):
        TransformersDetector(published).detect([odd])


def test_the_class_that_stands_for_nothing_is_not_found() -> None:
    logits = np.array([[0.0, 2.0, 9.0], [5.0, 0.0, 0.0]], np.float32)

    confidences, classes = best_classes(logits, is_sigmoid=False)

    assert classes.tolist() == [1, 0]
    assert confidences[0] < 0.01
    assert confidences[1] > 0.9


def test_classes_that_are_judged_one_by_one_do_not_share() -> None:
    confidences, classes = best_classes(np.array([[3.0, 3.1]], np.float32), is_sigmoid=True)

    assert classes.tolist() == [1]
    assert confidences[0] == pytest.approx(1 / (1 + np.exp(-3.1)))


def test_wild_scores_do_not_overflow() -> None:
    logits = np.array([[1e30, -1e30, 0.0]], np.float32)

    for is_sigmoid in (True, False):
        confidences, classes = best_classes(logits, is_sigmoid=is_sigmoid)
        assert (confidences[0], classes[0]) == (1.0, 0)
