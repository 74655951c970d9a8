from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.history.evidence_check import FaultKind, KeptFile, Verdict, judge
from tests.fakes.clock import START

HOUR = timedelta(hours=1)
A, B = (f"sha256-{letter * 64}.mp4" for letter in "ab")


def file(
    ref: str = A, *, age_s: float = 0.0, is_part: bool = False, is_sound: bool | None = True
) -> KeptFile:
    return KeptFile(
        path=f"x/{ref}",
        ref="" if is_part else ref,
        is_part=is_part,
        size_bytes=10,
        modified_at=START - timedelta(seconds=age_s),
        is_sound=is_sound,
    )


def judged(
    named: dict[str, set[str]], *files: KeptFile, mentioned: tuple[str, ...] = ()
) -> Verdict:
    return judge(named, files, mentioned=mentioned, now=START, settled_after=HOUR)


def kinds(verdict: Verdict) -> list[FaultKind]:
    return [fault.kind for fault in verdict.faults]


def test_rows_and_files_that_agree_are_right() -> None:
    verdict = judged({A: {"ev_1"}}, file(A, age_s=9999))
    assert (verdict.faults, verdict.rows, verdict.files, verdict.size_bytes) == ((), 1, 1, 10)


def test_a_row_without_a_file_names_its_incidents() -> None:
    [fault] = judged({A: {"ev_2", "ev_1"}}).faults
    assert (fault.kind, fault.incident_ids) == (FaultKind.MISSING, ("ev_1", "ev_2"))


def test_a_file_whose_hash_differs_is_damaged_and_one_unread_is_not() -> None:
    assert kinds(judged({A: {"e"}}, file(A, is_sound=False))) == [FaultKind.DAMAGED]
    assert kinds(judged({A: {"e"}}, file(A, is_sound=None))) == []


def test_an_orphan_is_one_from_an_hour_on_and_not_before() -> None:
    young = judged({}, file(A, age_s=3599))
    assert (kinds(young), young.recent) == ([], 1)
    assert kinds(judged({}, file(A, age_s=3600))) == [FaultKind.ORPHANED]


def test_a_file_that_a_told_event_names_is_no_orphan() -> None:
    assert kinds(judged({}, file(A, age_s=9999), mentioned=(A,))) == []


def test_a_part_is_left_over_even_if_its_clip_came() -> None:
    verdict = judged({A: {"e"}}, file(A), file(A, age_s=3600, is_part=True))
    assert kinds(verdict) == [FaultKind.LEFT_OVER]


@given(
    named=st.sets(st.sampled_from([A, B])),
    present=st.sets(st.sampled_from([A, B])),
    age_s=st.floats(0, 10_000),
)
def test_nothing_that_a_row_names_is_ever_removable(
    named: set[str], present: set[str], age_s: float
) -> None:
    files = [file(ref, age_s=age_s, is_sound=False) for ref in sorted(present)]
    verdict = judged({ref: {"e"} for ref in named}, *files)
    assert all(not fault.is_removable for fault in verdict.faults if fault.ref in named)
    assert {f.ref for f in verdict.faults if f.kind is FaultKind.MISSING} == named - present
