import sys
from pathlib import Path

import pytest

from contracts.errors import ConfigError, ModelError
from contracts.settings import Settings, VisionSettings
from tests.vision.detect.standings import YOLOX, pull_yolox, row, ship, write_measured
from vision.detect.detector_choice import DetectorChoice, choose_detector
from vision.detect.model_card import ModelCard, write_card
from vision.detect.registry import open_detector

AUTO = VisionSettings(detector="auto", confidence=0.4)


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    return tmp_path / "weights"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def chosen(shipped: Path, data_dir: Path) -> DetectorChoice:
    return choose_detector(AUTO, data_dir=data_dir, shipped=shipped)


def test_auto_is_the_default() -> None:
    assert Settings().vision.detector == "auto"


def test_a_family_that_is_named_is_taken_as_it_is(shipped: Path, data_dir: Path) -> None:
    ship(shipped, encoder=row(0.1), yolox_nano_coco=row(0.9))
    settings = VisionSettings(detector="motion")

    choice = choose_detector(settings, data_dir=data_dir, shipped=shipped)

    assert choice.settings is settings
    assert (choice.name, choice.reason) == ("motion", "vision.detector names it")


def test_the_shipped_weights_are_taken_where_nothing_was_measured(
    shipped: Path, data_dir: Path
) -> None:
    ship(shipped)

    choice = chosen(shipped, data_dir)

    assert choice.settings == AUTO.model_copy(update={"detector": "encoder", "weights": shipped})
    assert not choice.is_makeshift
    assert choice.remedy == ""


def test_a_published_detector_that_is_here_and_measured_better_is_taken_with_both_figures(
    shipped: Path, data_dir: Path
) -> None:
    weights, sha256 = pull_yolox(data_dir)
    ship(shipped, encoder=row(0.5, ms=13.0), yolox_nano_coco=row(0.52, ms=26.0, sha256=sha256))

    choice = chosen(shipped, data_dir)

    assert (choice.settings.detector, choice.settings.weights) == ("yolox", weights)
    assert choice.settings.confidence == AUTO.confidence
    assert choice.name == YOLOX
    assert "yolox_nano_coco (finds 0.52 of upright people" in choice.reason
    assert "against encoder (finds 0.50 of upright people" in choice.reason
    assert "26 ms a frame" in choice.reason
    assert choice.remedy == ""


def test_a_slight_lead_does_not_replace_the_shipped_weights(shipped: Path, data_dir: Path) -> None:
    _, sha256 = pull_yolox(data_dir)
    ship(shipped, encoder=row(0.5), yolox_nano_coco=row(0.519, sha256=sha256))

    choice = chosen(shipped, data_dir)

    assert choice.name == "encoder"
    assert "no better were yolox_nano_coco (finds 0.52" in choice.reason
    assert choice.remedy == ""


def test_a_better_one_that_is_not_here_is_named_with_how_to_get_it(
    shipped: Path, data_dir: Path
) -> None:
    ship(shipped, encoder=row(0.5), yolox_nano_coco=row(0.7, sha256="ab"))

    choice = chosen(shipped, data_dir)

    assert choice.name == "encoder"
    assert "measured better, but not in use here: yolox_nano_coco (finds 0.70" in choice.reason
    assert choice.remedy == "vigil models pull yolox_nano_coco"


@pytest.mark.parametrize("measured_sum", ["", "00" * 32], ids=["unknown", "another"])
def test_a_file_that_is_not_the_measured_one_is_not_taken(
    shipped: Path, data_dir: Path, measured_sum: str
) -> None:
    weights, _ = pull_yolox(data_dir)
    ship(shipped, encoder=row(0.5), yolox_nano_coco=row(0.7, sha256=measured_sum))

    choice = chosen(shipped, data_dir)

    assert choice.name == "encoder"
    assert choice.remedy.startswith("vigil models pull --force yolox_nano_coco")
    assert f"{weights} is not the file that was measured" in choice.remedy


def test_weights_that_are_gone_are_not_taken(shipped: Path, data_dir: Path) -> None:
    weights, sha256 = pull_yolox(data_dir)
    weights.unlink()
    ship(shipped, encoder=row(0.5), yolox_nano_coco=row(0.7, sha256=sha256))

    assert chosen(shipped, data_dir).name == "encoder"


def test_the_best_of_those_that_are_here_is_taken(shipped: Path, data_dir: Path) -> None:
    _, sha256 = pull_yolox(data_dir)
    other, _ = pull_yolox(data_dir, name="second")
    ship(
        shipped,
        encoder=row(0.5),
        yolox_nano_coco=row(0.6, sha256=sha256),
        second=row(0.8, sha256=sha256),
        absent=row(0.9, sha256=sha256),
    )

    assert chosen(shipped, data_dir).settings.weights == other


def test_one_whose_package_is_not_installed_is_not_taken(
    shipped: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    folder = data_dir / "models" / "dfine_nano"
    folder.mkdir(parents=True)
    card = ModelCard(name="dfine_nano", family="transformers", licence="x", source="x")
    write_card(folder, card)
    ship(shipped, encoder=row(0.5), dfine_nano=row(0.9, sha256="ab"))

    choice = chosen(shipped, data_dir)

    assert (choice.name, choice.remedy) == ("encoder", "pip install transformers")


def test_without_the_shipped_weights_motion_stands_in_and_says_so(
    shipped: Path, data_dir: Path
) -> None:
    choice = chosen(shipped, data_dir)

    assert choice.settings.detector == "motion"
    assert choice.is_makeshift
    assert str(shipped) in choice.reason
    assert choice.remedy


def test_half_of_the_shipped_weights_are_an_error_and_no_reason_for_motion(
    shipped: Path, data_dir: Path
) -> None:
    ship(shipped)
    (shipped / "objects.onnx").unlink()

    with pytest.raises(ConfigError, match=r"objects\.onnx not found"):
        open_detector(Settings(data_dir=data_dir, vision=AUTO), shipped=shipped)


def test_damaged_figures_are_an_error(shipped: Path, data_dir: Path) -> None:
    ship(shipped)
    write_measured(shipped, encoder=row(0.5)).write_text("{")

    with pytest.raises(ModelError, match=r"measured\.json"):
        chosen(shipped, data_dir)


def test_weights_without_their_family_are_refused(shipped: Path, data_dir: Path) -> None:
    settings = VisionSettings(weights=Path("yolox_s.onnx"))

    with pytest.raises(ConfigError, match=r"yolox_s\.onnx, but vision\.detector = 'auto'.*family"):
        choose_detector(settings, data_dir=data_dir, shipped=shipped)
