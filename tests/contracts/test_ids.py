import pytest

from contracts.errors import ConfigError
from contracts.ids import check_name, derived_id, new_id


def test_derived_ids_depend_on_the_parts_and_their_borders() -> None:
    assert derived_id("ev", "a", 1) == derived_id("ev", "a", 1)
    assert derived_id("ev", "a", "bc") != derived_id("ev", "ab", "c")


def test_new_ids_differ() -> None:
    assert len({new_id("al") for _ in range(100)}) == 100


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a" * 64, "a}b", "ä"])
def test_a_name_that_would_break_a_key_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="zone id must be 1 to 63 characters"):
        check_name(name, what="zone id")
