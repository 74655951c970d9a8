import subprocess
import sys
from pathlib import Path

import pytest

from contracts.errors import ConfigError
from contracts.settings import VisionSettings
from tests.vision.detect.tiny_models import write_torchvision_model, write_transformers_model
from vision.detect.registry import make_detector


def test_a_transformers_detector_is_made_from_its_folder(tmp_path: Path) -> None:
    folder = write_transformers_model(tmp_path / "tiny", "d_fine")

    detector = make_detector(VisionSettings(detector="transformers", weights=folder))

    assert detector.identity.name == "d_fine:tiny"


def test_a_torchvision_detector_is_made_from_its_file_and_the_names_beside_it(
    tmp_path: Path,
) -> None:
    weights = write_torchvision_model(tmp_path / "site.safetensors")
    (tmp_path / "site.names").write_text("person\nforklift\n")

    detector = make_detector(VisionSettings(detector="torchvision", weights=weights))

    assert detector.labels == ("background", "person", "forklift")


@pytest.mark.parametrize("family", ["torchvision", "transformers"])
def test_a_family_without_its_files_says_what_it_wants(family: str) -> None:
    settings = VisionSettings.model_validate({"detector": family})

    with pytest.raises(ConfigError, match=r"set vision\.weights to the .*safetensors.* 'vigil mod"):
        make_detector(settings)


def test_a_file_where_a_folder_is_wanted_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.touch()

    with pytest.raises(ConfigError, match=r"model\.safetensors is not a folder"):
        make_detector(VisionSettings(detector="transformers", weights=path))


def test_a_package_that_is_not_installed_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.delitem(sys.modules, "vision.detect.transformers_detector", raising=False)

    with pytest.raises(ConfigError, match=r"needs the package transformers.*pip install"):
        make_detector(VisionSettings(detector="transformers", weights=tmp_path))


def test_the_default_detector_does_not_pay_for_them() -> None:
    program = (
        "import sys\n"
        "from contracts.settings import Settings\n"
        "from vision.detect.registry import open_detector\n"
        "open_detector(Settings())\n"
        "print([name for name in ('torchvision', 'transformers') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
