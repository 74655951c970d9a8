from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from api.camera_groups import CameraGroups

NAMES = st.sets(st.sampled_from([f"cam{number}" for number in range(12)]))


def test_groups_are_filled_one_after_the_other() -> None:
    groups = CameraGroups(2)

    assert groups.assign(["c", "a", "b"]) == {"a": 1, "b": 1, "c": 2}
    assert groups.numbers == [1, 2]


def test_a_camera_stays_where_it_is_whatever_comes_and_goes() -> None:
    groups = CameraGroups(2)
    groups.assign(["b", "c", "d", "e"])

    assert groups.assign(["a", "d", "e"]) == {"a": 1, "d": 2, "e": 2}


def test_without_cameras_there_is_one_group_to_wait_for_them() -> None:
    groups = CameraGroups(4)
    groups.assign([])

    assert groups.numbers == [1]


@given(st.integers(1, 4), st.lists(NAMES, max_size=8))
def test_no_group_is_too_large_and_nobody_wanders(size: int, edits: list[set[str]]) -> None:
    groups, before = CameraGroups(size), dict[str, int]()
    for names in edits:
        now = dict(groups.assign(names))
        assert set(now) == names
        assert all(count <= size for count in Counter(now.values()).values())
        assert all(now[name] == before[name] for name in names & set(before))
        before = now
