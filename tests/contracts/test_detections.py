import pytest

from contracts.detections import Detections, label_matches


@pytest.mark.parametrize(
    ("label", "wanted", "matches"),
    [
        ("person", ("person",), True),
        ("car", ("person",), False),
        ("car", ("vehicle",), True),
        ("person", ("vehicle",), False),
        ("object", ("person",), True),
        ("dog", (), True),
    ],
)
def test_label_lists(label: str, wanted: tuple[str, ...], matches: bool) -> None:
    assert label_matches(label, wanted) is matches


def test_an_empty_frame_has_no_detections() -> None:
    assert len(Detections.none(("person",))) == 0
