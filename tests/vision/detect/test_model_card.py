import hashlib
from pathlib import Path

import pytest

from contracts.errors import ModelError
from vision.detect.model_card import (
    CARD_NAME,
    ModelCard,
    read_card,
    require_recorded,
    sha256_of,
    write_card,
)

CARD = ModelCard(
    name="dfine_nano",
    family="transformers",
    licence="Apache-2.0",
    source="hf:owner/repo",
    revision="0123abc",
    pulled_at="2026-01-01T00:00:00+00:00",
    sha256={"model.safetensors": "ab" * 32},
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_card(tmp_path, CARD)

    assert read_card(tmp_path) == CARD


def test_a_folder_without_a_card_has_none(tmp_path: Path) -> None:
    assert read_card(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"name": "a"}', '"text"'])
def test_a_damaged_card_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / CARD_NAME).write_text(content)

    with pytest.raises(ModelError, match=r"model\.json: is no card of a model"):
        read_card(tmp_path)


def test_checksums_are_those_of_the_standard_tool(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"vigil" * 1_000_000)

    assert sha256_of(path) == hashlib.sha256(b"vigil" * 1_000_000).hexdigest()


def test_a_file_with_another_checksum_is_refused(tmp_path: Path) -> None:
    write_card(tmp_path, CARD)

    require_recorded(tmp_path / "model.safetensors", "ab" * 32)
    with pytest.raises(ModelError, match="changed or damaged since it was fetched"):
        require_recorded(tmp_path / "model.safetensors", "cd" * 32)


def test_a_file_that_the_card_does_not_know_is_not_judged(tmp_path: Path) -> None:
    write_card(tmp_path, CARD)

    require_recorded(tmp_path / "other.onnx", "cd" * 32)
