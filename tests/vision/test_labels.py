import pytest

from vision.labels import label_matches


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
