from pathlib import Path

import pytest

from contracts.errors import ConfigError, ModelError
from vision.detect.model_card import ModelCard, sha256_of, write_card
from vision.detect.model_folder import check_files, family_of, find_installed, installed_models


def folder_of(data_dir: Path, name: str, *files: str) -> Path:
    folder = data_dir / "models" / name
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_text(file)
    return folder


def with_card(folder: Path, file: str) -> Path:
    card = ModelCard(
        name=folder.name,
        family="yolox",
        licence="MIT",
        source="here",
        weights=file,
        sha256={file: sha256_of(folder / file)},
    )
    write_card(folder, card)
    return folder


def test_nothing_is_installed_at_first(tmp_path: Path) -> None:
    assert installed_models(tmp_path) == ()


def test_what_was_not_finished_is_not_installed(tmp_path: Path) -> None:
    folder_of(tmp_path, ".site-0123.part", "m.onnx.part")
    folder_of(tmp_path, "site", "m.onnx")

    assert [model.name for model in installed_models(tmp_path)] == ["site"]


@pytest.mark.parametrize(
    ("files", "family", "weights"),
    [
        (("config.json", "model.safetensors"), "transformers", ""),
        (("m.onnx", "m.names"), "yolox", "m.onnx"),
        (("fcos_resnet50_fpn.safetensors",), "torchvision", "fcos_resnet50_fpn.safetensors"),
        (("README.md", "m.pth"), "", ""),
    ],
)
def test_a_copied_folder_tells_its_family_by_its_files(
    tmp_path: Path, files: tuple[str, ...], family: str, weights: str
) -> None:
    folder = folder_of(tmp_path, "site", *files)
    [model] = installed_models(tmp_path)

    assert family_of(folder) == (family, weights)
    assert model.family == family
    assert model.weights == (folder / weights if weights else folder)
    assert model.size_bytes == sum(map(len, files))


def test_files_that_are_as_recorded_pass(tmp_path: Path) -> None:
    with_card(folder_of(tmp_path, "site", "m.onnx"), "m.onnx")
    [model] = find_installed(tmp_path, ["site"])

    assert check_files(model) == model.card


def test_a_file_that_changed_is_named(tmp_path: Path) -> None:
    folder = with_card(folder_of(tmp_path, "site", "m.onnx"), "m.onnx")
    (folder / "m.onnx").write_text("other")
    [model] = installed_models(tmp_path)

    with pytest.raises(ModelError, match=r"m\.onnx: sha256 is .*, model\.json states .*pull"):
        check_files(model)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    folder = with_card(folder_of(tmp_path, "site", "m.onnx"), "m.onnx")
    (folder / "m.onnx").unlink()
    [model] = installed_models(tmp_path)

    with pytest.raises(ModelError, match=r"m\.onnx: is missing"):
        check_files(model)


def test_a_copied_folder_gets_the_card_of_its_files(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "site", "m.onnx", "m.names")
    [model] = installed_models(tmp_path)

    card = check_files(model)

    assert (card.family, card.weights, card.source) == ("yolox", "m.onnx", "copied by hand")
    assert card.sha256 == {name: sha256_of(folder / name) for name in ("m.names", "m.onnx")}


def test_a_copied_folder_is_held_to_the_catalog(tmp_path: Path) -> None:
    folder_of(tmp_path, "yolox_nano_coco", "yolox_nano.onnx")
    [model] = installed_models(tmp_path)

    with pytest.raises(
        ModelError, match=r"yolox_nano\.onnx: sha256 is .*, the catalog states 695e"
    ):
        check_files(model)


def test_a_copied_folder_that_lacks_what_the_catalog_names_says_so(tmp_path: Path) -> None:
    folder_of(tmp_path, "yolox_nano_coco", "other.onnx")
    [model] = installed_models(tmp_path)

    with pytest.raises(ModelError, match=r"yolox_nano\.onnx: is missing; the catalog names it"):
        check_files(model)


def test_a_folder_without_a_model_says_what_is_wanted(tmp_path: Path) -> None:
    folder_of(tmp_path, "site", "README.md")
    [model] = installed_models(tmp_path)

    with pytest.raises(ModelError, match=r"holds no model; wanted an \.onnx file"):
        check_files(model)


def test_an_unknown_name_is_answered_with_what_is_there(tmp_path: Path) -> None:
    folder_of(tmp_path, "site", "m.onnx")

    with pytest.raises(ConfigError, match=r"no model 'gate' .*\(site there\); 'vigil models pull"):
        find_installed(tmp_path, ["site", "gate"])
