"""The pure matcher: pairs across cameras, late news, each thing once."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.sequence import Happening, SequenceMatcher


def matcher(*, within_s: float = 30.0, same_camera: bool = False) -> SequenceMatcher:
    return SequenceMatcher(
        first=lambda told: told.rule_id == "fence",
        then=lambda told: told.rule_id == "door",
        within_s=within_s,
        fits=lambda a, b: not same_camera or a.camera_id == b.camera_id,
    )


def told(rule_id: str, at_s: float, *, camera_id: str = "yard", key: str = "") -> Happening:
    return Happening(
        key=key or f"{camera_id}/{rule_id}/{at_s}",
        camera_id=camera_id,
        rule_id=rule_id,
        at_s=at_s,
        track_ids=("t1",),
    )


def test_the_one_and_then_the_other_within_the_time_is_a_pair() -> None:
    match = matcher()

    assert match.tell(told("fence", 10)) == []
    [pair] = match.tell(told("door", 25))

    assert pair.gap_s == 15


def test_across_cameras_if_that_is_asked_for() -> None:
    for is_narrow, pairs in ((False, 1), (True, 0)):
        match = matcher(same_camera=is_narrow)
        match.tell(told("fence", 10))
        assert len(match.tell(told("door", 25, camera_id="hall"))) == pairs


@pytest.mark.parametrize(("at_s", "pairs"), [(40.0, 1), (40.1, 0), (9.9, 0), (10.0, 1)])
def test_the_time_is_a_boundary(at_s: float, pairs: int) -> None:
    match = matcher()
    match.tell(told("fence", 10))

    assert len(match.tell(told("door", at_s))) == pairs


def test_news_that_comes_late_is_matched_as_if_it_had_come_in_time() -> None:
    match = matcher()
    assert match.tell(told("door", 25, camera_id="hall")) == []

    [pair] = match.tell(told("fence", 10))

    assert (pair.first.at_s, pair.then.at_s) == (10, 25)


def test_the_newest_first_thing_is_meant_and_each_counts_once() -> None:
    match = matcher()
    match.tell(told("fence", 5))
    match.tell(told("fence", 10))

    assert [pair.first.at_s for pair in match.tell(told("door", 12))] == [10]
    assert [pair.first.at_s for pair in match.tell(told("door", 13))] == [5]
    assert match.tell(told("door", 14)) == []


def test_a_repeat_is_counted_once() -> None:
    match = matcher()
    match.tell(told("fence", 10, key="a"))
    match.tell(told("door", 12, key="b"))

    assert match.tell(told("door", 12, key="b")) == []


def test_the_same_rule_twice() -> None:
    match = SequenceMatcher(
        first=lambda one: one.rule_id == "fence",
        then=lambda one: one.rule_id == "fence",
        within_s=30.0,
        fits=lambda a, b: a.key != b.key,
    )
    assert match.tell(told("fence", 10)) == []
    assert len(match.tell(told("fence", 20))) == 1


@given(
    things=st.lists(
        st.tuples(st.sampled_from(["fence", "door", "other"]), st.integers(0, 200)), max_size=40
    )
)
def test_every_pair_is_in_order_in_time_and_of_things_that_happened_once(
    things: list[tuple[str, int]],
) -> None:
    match = matcher()
    pairs = list(
        itertools.chain.from_iterable(
            match.tell(told(rule_id, float(at_s), key=f"{index}"))
            for index, (rule_id, at_s) in enumerate(things)
        )
    )

    used = [key for pair in pairs for key in (pair.first.key, pair.then.key)]
    assert len(used) == len(set(used))
    assert all(0 <= pair.gap_s <= 30 for pair in pairs)
    assert all((p.first.rule_id, p.then.rule_id) == ("fence", "door") for p in pairs)
