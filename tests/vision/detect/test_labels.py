from pathlib import Path

import pytest

from contracts.errors import ConfigError
from vision.detect.labels import COCO, default_labels, our_name, read_labels


def test_coco_has_its_eighty_names_in_order() -> None:
    assert len(COCO) == len(set(COCO)) == 80
    assert (COCO[0], COCO[2], COCO[7], COCO[79]) == ("person", "car", "truck", "toothbrush")


def test_one_class_is_a_person_and_eighty_are_coco() -> None:
    assert default_labels(1, where="m.onnx") == ("person",)
    assert default_labels(80, where="m.onnx") == COCO


def test_another_number_of_classes_needs_names() -> None:
    with pytest.raises(ConfigError, match=r"has 3 classes.*m\.names"):
        default_labels(3, where="m.onnx")


def test_reads_names_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "m.names"
    path.write_text("person\n\nhard hat \n")

    assert read_labels(path, count=2) == ("person", "hard hat")


def test_refuses_another_number_of_names(tmp_path: Path) -> None:
    path = tmp_path / "m.names"
    path.write_text("person\n")

    with pytest.raises(ConfigError, match="has 1 names, the model has 2 classes"):
        read_labels(path, count=2)


def test_refuses_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "m.names"
    path.write_bytes(b"\xff\xfe\x00\x81")

    with pytest.raises(ConfigError, match="cannot be read as a list of class names"):
        read_labels(path, count=2)


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        ("Person", "person"),
        ("motorbike", "motorcycle"),
        (" Dining  Table ", "dining table"),
        ("tvmonitor", "tv"),
        ("forklift", "forklift"),
    ],
)
def test_names_of_publishers_become_ours(published: str, ours: str) -> None:
    assert our_name(published) == ours
