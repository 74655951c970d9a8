import json
from collections.abc import Callable

import pytest

from api.model_sources import make_plan
from contracts.errors import ConfigError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
COMPLETE = ("config.json", "preprocessor_config.json", "model.safetensors", "README.md")


def hub(*names: str, **more: object) -> Callable[[str], str]:
    """A hub that answers every repository with these files."""
    document = {"sha": COMMIT, "siblings": [{"rfilename": name} for name in names], **more}
    return lambda _url: json.dumps(document)


def nobody(url: str) -> str:
    raise AssertionError(f"asked {url}")


def test_a_catalog_entry_of_an_address_needs_no_hub_and_is_pinned() -> None:
    plan = make_plan("yolox_nano_coco", read_text=nobody)

    assert (plan.name, plan.family, plan.licence) == ("yolox_nano_coco", "yolox", "Apache-2.0")
    assert plan.weights == "yolox_nano.onnx"
    [file] = plan.files
    assert file.sha256.startswith("695e750a5d57")
    assert plan.size_bytes == 3_660_092


def test_a_catalog_entry_of_a_hub_is_fetched_at_the_commit_that_the_hub_names() -> None:
    asked: list[str] = []

    def read_text(url: str) -> str:
        asked.append(url)
        return hub(*COMPLETE)(url)

    plan = make_plan("dfine_nano", read_text=read_text)

    assert asked == [
        "https://huggingface.co/api/models/ustc-community/dfine-nano-coco/revision/main"
    ]
    assert (plan.name, plan.family, plan.revision) == ("dfine_nano", "transformers", COMMIT)
    assert [file.name for file in plan.files] == list(COMPLETE[:3])
    assert all(f"/resolve/{COMMIT}/" in file.url for file in plan.files)
    assert plan.weights == ""


def test_a_repository_is_named_with_its_revision_on_any_hub() -> None:
    asked: list[str] = []

    def read_text(url: str) -> str:
        asked.append(url)
        return hub(*COMPLETE)(url)

    plan = make_plan("hf:owner/repo@refs/pr/2", hub="https://hub.site/", read_text=read_text)

    assert asked == ["https://hub.site/api/models/owner/repo/revision/refs%2Fpr%2F2"]
    assert plan.files[0].url == f"https://hub.site/owner/repo/resolve/{COMMIT}/config.json"
    assert (plan.name, plan.source) == ("repo", "hf:owner/repo")


@pytest.mark.parametrize(
    ("more", "licence"),
    [
        ({"cardData": {"license": "apache-2.0"}}, "apache-2.0"),
        ({"tags": ["vision", "license:mit"]}, "mit"),
        ({"cardData": {"license": None}, "tags": []}, "unknown"),
        ({"cardData": "odd", "tags": "odd"}, "unknown"),
    ],
)
def test_the_licence_is_what_the_publisher_states(more: dict[str, object], licence: str) -> None:
    assert make_plan("hf:owner/repo", read_text=hub(*COMPLETE, **more)).licence == licence


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("config.json",), "has no preprocessor_config.json, model.safetensors"),
        (
            (*COMPLETE[:2], "pytorch_model.bin"),
            "has no model.safetensors; it has pytorch_model.bin, but pickles can run code",
        ),
        (
            (*COMPLETE[:2], "model.safetensors.index.json"),
            "weights in several files are larger than any detector",
        ),
        ((), "has no config.json"),
    ],
)
def test_a_repository_that_cannot_be_opened_says_why(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"hf:owner/repo: .*{message}"):
        make_plan("hf:owner/repo", read_text=hub(*names))


@pytest.mark.parametrize("answer", ["<html>", "[]", "{}", '{"sha": "../../etc"}'])
def test_what_is_no_hub_is_named(answer: str) -> None:
    with pytest.raises(ConfigError, match="is this a hub of models"):
        make_plan("hf:owner/repo", read_text=lambda _url: answer)


@pytest.mark.parametrize("wanted", ["hf:repo", "hf:a/b/c", "hf:../../x", "hf:owner/repo@a b"])
def test_an_odd_repository_is_refused(wanted: str) -> None:
    with pytest.raises(ConfigError, match="wanted hf:OWNER/REPO"):
        make_plan(wanted, read_text=nobody)


@pytest.mark.parametrize(
    ("file", "family"),
    [("yolox_s.onnx", "yolox"), ("fcos_resnet50_fpn.safetensors", "torchvision")],
)
def test_an_address_tells_its_family_by_its_ending(file: str, family: str) -> None:
    plan = make_plan(f"https://site/a/{file}", read_text=nobody)

    assert (plan.family, plan.weights) == (family, file)
    assert plan.licence == "unknown"


@pytest.mark.parametrize("suffix", ["pt", "pth", "bin", "pkl", "ckpt"])
def test_a_pickle_is_refused_with_the_reason(suffix: str) -> None:
    with pytest.raises(ConfigError, match="are pickles, which can run code when they are opened"):
        make_plan(f"https://site/model.{suffix}", read_text=nobody)


@pytest.mark.parametrize("wanted", ["http://site/m.onnx", "ftp://site/m.onnx", "https:///m.onnx"])
def test_anything_but_https_is_refused(wanted: str) -> None:
    with pytest.raises(ConfigError, match="only https addresses are fetched"):
        make_plan(wanted, read_text=nobody)


@pytest.mark.parametrize("wanted", ["https://site/", "https://site/m.zip", "https://site/m"])
def test_an_address_of_something_else_says_what_is_wanted(wanted: str) -> None:
    with pytest.raises(ConfigError, match=r"wanted the address of an \.onnx file"):
        make_plan(wanted, read_text=nobody)


def test_a_name_that_leads_out_of_the_folder_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be the name of a model"):
        make_plan("https://site/m.onnx", name="../../etc", read_text=nobody)
    with pytest.raises(ConfigError, match="cannot be the name of a model"):
        make_plan("https://site/..%2f.hidden.onnx", read_text=nobody)


def test_user_and_signature_of_an_address_are_not_written_down() -> None:
    plan = make_plan("https://u:hunter2@site:444/m.onnx?sig=hunter3#x", read_text=nobody)

    assert plan.source == "https://site:444/m.onnx"
    assert plan.files[0].url.endswith("?sig=hunter3#x")


def test_an_unknown_name_is_answered_with_the_catalog() -> None:
    with pytest.raises(ConfigError, match=r"'crystal_ball' is no model of the catalog \(yolox_n"):
        make_plan("crystal_ball", read_text=nobody)


def test_a_checksum_that_is_given_is_held_for_the_weights() -> None:
    plan = make_plan("hf:owner/repo", sha256="AB" * 32, read_text=hub(*COMPLETE))

    assert {file.name: file.sha256 for file in plan.files} == {
        "config.json": "", "preprocessor_config.json": "", "model.safetensors": "ab" * 32,
    }  # fmt: skip


def test_a_checksum_against_the_catalog_or_of_another_form_is_refused() -> None:
    with pytest.raises(ConfigError, match="the catalog pins 695e750a5d57"):
        make_plan("yolox_nano_coco", sha256="0" * 64, read_text=nobody)
    with pytest.raises(ConfigError, match="wanted 64 hexadecimal digits, got 3"):
        make_plan("yolox_nano_coco", sha256="abc", read_text=nobody)


def test_the_digest_differs_for_other_files() -> None:
    digests = {
        make_plan(f"https://site/{name}.onnx", read_text=nobody).digest for name in ("a", "b", "c")
    }

    assert len(digests) == 3
