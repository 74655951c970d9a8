from hypothesis import given
from hypothesis import strategies as st

from alerts.evidence import merge_evidence
from contracts.incidents import EvidenceItem, EvidenceKind
from tests.alerts.builders import clip

items = st.builds(
    EvidenceItem,
    kind=st.sampled_from(EvidenceKind),
    ref=st.sampled_from(["", "a", "b"]),
    frame_id=st.sampled_from(["f_1", "f_2"]),
)


def frame(frame_id: str, ref: str = "x") -> EvidenceItem:
    return EvidenceItem(kind=EvidenceKind.FRAME, ref=ref, frame_id=frame_id)


def test_pieces_about_different_things_are_all_kept_in_order() -> None:
    assert merge_evidence([frame("f_1"), clip()], [frame("f_2")]) == (
        frame("f_1"),
        clip(),
        frame("f_2"),
    )


def test_the_clip_takes_the_place_of_the_word_that_there_is_none() -> None:
    assert merge_evidence([clip("", problem="no key frame")], [clip()]) == (clip(),)


def test_the_word_that_there_is_none_does_not_take_the_clip_away() -> None:
    assert merge_evidence([clip()], [clip("", problem="no key frame")]) == (clip(),)


@given(st.lists(items), st.lists(items))
def test_merging_again_changes_nothing(
    older: list[EvidenceItem], newer: list[EvidenceItem]
) -> None:
    once = merge_evidence(older, newer)

    assert merge_evidence(once, once) == once


@given(st.lists(items), st.lists(items))
def test_nothing_that_was_kept_is_lost(
    older: list[EvidenceItem], newer: list[EvidenceItem]
) -> None:
    merged = merge_evidence(older, newer)
    kept = {(item.kind, item.frame_id) for item in (*older, *newer) if item.ref}

    assert kept == {(item.kind, item.frame_id) for item in merged if item.ref}
