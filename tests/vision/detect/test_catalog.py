from pathlib import Path

import pytest

from vision.detect.catalog import CATALOG, find_entry
from vision.detect.model_card import sha256_of
from vision.detect.registry import FAMILIES


def test_entries_have_names_of_their_own_and_known_families() -> None:
    names = [entry.name for entry in CATALOG]

    assert len(set(names)) == len(names)
    assert {entry.family for entry in CATALOG} <= set(FAMILIES)


def test_every_source_is_https_or_a_hub() -> None:
    assert all(entry.source.startswith(("https://", "hf:")) for entry in CATALOG)


def test_an_address_is_of_one_commit_and_pinned() -> None:
    for entry in CATALOG:
        if entry.source.startswith("https://"):
            assert entry.weights == entry.source.rsplit("/", 1)[1]
            assert set(entry.sha256) == {entry.weights}


def test_an_entry_is_found_by_its_name() -> None:
    assert find_entry(CATALOG[0].name) is CATALOG[0]
    assert find_entry("crystal_ball") is None


@pytest.mark.data
def test_the_pinned_checksum_is_that_of_the_published_file(shared: Path) -> None:
    entry = find_entry("yolox_nano_coco")
    file = shared / "weights" / "yolox_nano_coco" / "yolox_nano.onnx"

    assert entry is not None
    assert sha256_of(file) == entry.sha256["yolox_nano.onnx"]
    assert file.stat().st_size == entry.size_bytes
