import hashlib
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from contracts.detections import ModelIdentity
from contracts.errors import ConfigError, ModelError
from contracts.settings import Settings, VisionSettings
from tests.vision.detect.onnx_files import write_constant_model
from tests.vision.detect.standings import pull_yolox, row, ship
from vision.detect.encoder import EncoderDetector
from vision.detect.motion import MotionDetector
from vision.detect.registry import make_detector, open_detector
from vision.detect.yolox import YoloxDetector


def test_motion_needs_no_weights() -> None:
    assert isinstance(make_detector(VisionSettings(detector="motion")), MotionDetector)


def test_auto_opens_the_shipped_weights(tmp_path: Path, encoder_folder: Path) -> None:
    expected = hashlib.sha256((encoder_folder / "encoder.onnx").read_bytes()).hexdigest()

    detector = open_detector(Settings(data_dir=tmp_path), shipped=encoder_folder)

    assert detector.identity == ModelIdentity(name="encoder", sha256=expected)


def test_auto_opens_a_published_detector_that_measured_better(tmp_path: Path) -> None:
    _, sha256 = pull_yolox(tmp_path)
    shipped = ship(tmp_path / "weights", encoder=row(0.5), yolox_nano_coco=row(0.7, sha256=sha256))

    detector = open_detector(Settings(data_dir=tmp_path), shipped=shipped)

    assert detector.identity == ModelIdentity(name="yolox:yolox_nano", sha256=sha256)


def test_auto_without_weights_opens_motion_and_warns(tmp_path: Path) -> None:
    with capture_logs() as lines:
        detector = open_detector(Settings(data_dir=tmp_path), shipped=tmp_path / "none")

    assert detector.identity.name == "motion"
    [line] = lines
    assert line["log_level"] == "warning"
    assert "there are no weights in" in line["reason"]


def test_auto_is_no_family_to_make() -> None:
    with pytest.raises(ConfigError, match=r"vision\.detector = 'auto': families are"):
        make_detector(VisionSettings(detector="auto"))


def test_yolox_is_made_from_its_file_and_the_names_beside_it(tmp_path: Path) -> None:
    weights = write_constant_model(tmp_path / "site.onnx", np.zeros((1, 84, 7), np.float32))
    (tmp_path / "site.names").write_text("person\nforklift\n")

    detector = make_detector(VisionSettings(detector="yolox", weights=weights))

    assert isinstance(detector, YoloxDetector)
    assert detector.labels == ("person", "forklift")


def test_yolox_without_weights_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match=r"needs a model file: set vision\.weights"):
        make_detector(VisionSettings(detector="yolox"))


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.onnx is not a file"):
        make_detector(VisionSettings(detector="yolox", weights=tmp_path / "absent.onnx"))


def test_weights_that_are_no_model_are_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a model" * 100)

    with pytest.raises(ModelError, match=r"broken\.onnx"):
        make_detector(VisionSettings(detector="yolox", weights=path))


def test_the_encoder_is_made_from_its_folder(encoder_folder: Path) -> None:
    detector = make_detector(VisionSettings(detector="encoder", weights=encoder_folder))

    assert isinstance(detector, EncoderDetector)
    assert detector.identity.name == "encoder"


def test_an_unknown_family_is_answered_with_the_known_ones() -> None:
    settings = VisionSettings().model_copy(update={"detector": "crystal_ball"})

    with pytest.raises(ConfigError, match=r"families are \['encoder', 'motion'"):
        make_detector(settings)
