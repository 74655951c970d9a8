"""The book: which rule events are one incident, and when it is over."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.geometry import Point
from contracts.incidents import IncidentState, RuleEvent
from contracts.rules import RuleKind, Severity
from contracts.tracks import Track
from tests.fakes.builders import rule_event
from tests.fakes.clock import START
from tests.fakes.tracks import followed, header_at
from vision.incidents import MAX_RULE_EVENTS, IncidentBook, OpenIncident, Turn

IN_ZONE: Point = (0.7, 0.6)


def event(
    at_s: float,
    *,
    track_id: str = "t1",
    rule_id: str = "keep_out",
    kind: RuleKind = RuleKind.INTRUSION,
    severity: Severity = Severity.HIGH,
) -> RuleEvent:
    return replace(
        rule_event(kind=kind, track_id=track_id, event_id=f"re_{rule_id}_{track_id}_{at_s}"),
        rule_id=rule_id,
        severity=severity,
        at=START + timedelta(seconds=at_s),
        monotonic_s=at_s,
        since_at=START + timedelta(seconds=at_s - 1),
        since_s=at_s - 1,
    )


def stood(
    from_s: float,
    to_s: float,
    *,
    track_id: str = "t1",
    at: Point = IN_ZONE,
    to: Point | None = None,
) -> Track:
    """A track seen each second from ``at`` to ``to``."""
    end = at if to is None else to
    count = round(to_s - from_s)
    feet = [
        (
            from_s + step,
            (
                at[0] + (end[0] - at[0]) * step / max(1, count),
                at[1] + (end[1] - at[1]) * step / max(1, count),
            ),
        )
        for step in range(count + 1)
    ]
    return followed(feet, track_id=track_id)


def read(
    book: IncidentBook,
    at_s: float,
    *tracks: Track,
    events: Sequence[RuleEvent] = (),
    present: Mapping[str, Sequence[str]] | None = None,
) -> Turn:
    """One frame; its tracks are present where ``keep_out`` watches unless said otherwise."""
    where = {"keep_out": [track.track_id for track in tracks]} if present is None else present
    turn = book.read(events, tracks=tracks, present=where, header=header_at(at_s))
    for revision in turn.revisions:
        told = book.incident(revision.incident_id)
        book.keep(
            replace(
                told,
                revision=told.revision + 1,
                is_news=False,
                revised_at=header_at(at_s).captured_at,
            )
        )
    return turn


def at(second: float) -> OpenIncident:
    """The only open incident of a book in which ``t1`` fired at that second."""
    book = opened_book(second)
    [incident] = book.open_incidents
    return incident


def opened_book(second: float = 5.0, *, track: Track | None = None) -> IncidentBook:
    book = IncidentBook(close_after_s=10.0)
    read(book, second, track or stood(0.0, second), events=[event(second)])
    return book


def states(turn: Turn) -> list[IncidentState]:
    return [revision.state for revision in turn.revisions]


def test_a_rule_event_opens_an_incident_with_the_events_times() -> None:
    incident = at(5.0)

    assert incident.started_s == 4.0
    assert incident.decisive_at == START + timedelta(seconds=5)
    assert incident.severity is Severity.HIGH
    assert list(incident.tracks) == ["t1"]


def test_the_same_event_opens_the_same_incident_again() -> None:
    assert at(5.0).incident_id == at(5.0).incident_id
    assert at(5.0).incident_id != at(6.0).incident_id


def test_another_rule_about_the_same_track_extends_it_and_raises_the_severity() -> None:
    book = opened_book()

    turn = read(
        book,
        7.0,
        stood(0.0, 7.0),
        events=[event(7.0, rule_id="stays", kind=RuleKind.LOITER, severity=Severity.CRITICAL)],
    )

    [incident] = book.open_incidents
    assert states(turn) == [IncidentState.EXTENDED]
    assert incident.kind is RuleKind.INTRUSION
    assert incident.severity is Severity.CRITICAL
    assert incident.rule_ids == {"keep_out", "stays"}


def test_a_severity_is_never_lowered() -> None:
    book = opened_book()

    read(book, 7.0, stood(0.0, 7.0), events=[event(7.0, rule_id="low", severity=Severity.INFO)])

    assert book.open_incidents[0].severity is Severity.HIGH


def test_the_same_rule_about_somebody_else_joins_while_the_first_is_there() -> None:
    book = opened_book()

    read(
        book,
        7.0,
        stood(0.0, 7.0),
        stood(5.0, 7.0, track_id="t2", at=(0.9, 0.9)),
        events=[event(7.0, track_id="t2")],
    )

    assert len(book.open_incidents) == 1


def test_the_same_rule_about_somebody_else_is_a_new_incident_once_the_first_has_gone() -> None:
    leaving = stood(0.0, 5.0, at=(0.8, 0.6), to=(0.99, 0.6))
    book = opened_book(track=leaving)

    read(book, 9.0, stood(7.0, 9.0, track_id="t2"), events=[event(9.0, track_id="t2")])

    assert len(book.open_incidents) == 2


def test_two_cars_over_a_line_are_two_incidents() -> None:
    book = IncidentBook(close_after_s=10.0)
    first, second = stood(0.0, 5.0), stood(0.0, 5.0, track_id="t2", at=(0.3, 0.6))

    read(
        book,
        5.0,
        first,
        second,
        events=[
            event(5.0, kind=RuleKind.LINE_CROSS),
            event(5.0, kind=RuleKind.LINE_CROSS, track_id="t2"),
        ],
        present={},
    )

    assert len(book.open_incidents) == 2


def test_the_way_back_over_the_line_extends_the_incident() -> None:
    book = IncidentBook(close_after_s=10.0)
    read(book, 5.0, stood(0, 5), events=[event(5.0, kind=RuleKind.LINE_CROSS)], present={})

    read(book, 8.0, stood(0, 8), events=[event(8.0, kind=RuleKind.LINE_CROSS)], present={})

    assert len(book.open_incidents) == 1


def test_a_new_id_where_the_old_one_was_lost_takes_its_place() -> None:
    book = opened_book()
    heir = stood(8.0, 10.0, track_id="t2", at=(0.72, 0.6))

    turn = read(book, 10.0, heir, events=[event(10.0, track_id="t2")])

    [incident] = book.open_incidents
    assert list(incident.tracks) == ["t1", "t2"]
    assert states(turn) == [IncidentState.EXTENDED]


def test_a_loiterer_with_a_new_id_keeps_the_incident_open_without_a_new_event() -> None:
    book = opened_book()

    for second in range(10, 40):
        assert book.close_stale(header_at(second).captured_at) == ()
        turn = read(book, second, stood(8.0, second, track_id="t2", at=(0.72, 0.6)))
        assert turn.revisions == ()


@pytest.mark.parametrize(
    ("ending", "beginning", "begins_s"),
    [
        pytest.param((0.8, 0.6), (0.1, 0.6), 6.0, id="too far for the time"),
        pytest.param((0.8, 0.6), (0.8, 0.6), 16.0, id="too late"),
    ],
)
def test_who_cannot_be_the_same_does_not_take_the_place(
    ending: Point, beginning: Point, begins_s: float
) -> None:
    book = opened_book(track=stood(0.0, 5.0, at=ending))

    read(book, begins_s + 1, stood(begins_s, begins_s + 1, track_id="t2", at=beginning))

    assert list(book.open_incidents[0].tracks) == ["t1"]


def test_whoever_walked_out_of_the_picture_is_not_replaced_by_who_comes_in() -> None:
    book = opened_book(track=stood(0.0, 5.0, at=(0.75, 0.6), to=(0.985, 0.6)))

    read(book, 9.0, stood(8.0, 9.0, track_id="t2", at=(0.95, 0.6)))

    assert list(book.open_incidents[0].tracks) == ["t1"]


def test_whoever_stands_at_the_edge_of_the_picture_is_the_same_when_seen_again() -> None:
    book = opened_book(track=stood(0.0, 5.0, at=(0.98, 0.6)))

    read(book, 9.0, stood(8.0, 9.0, track_id="t2", at=(0.97, 0.6)))

    assert list(book.open_incidents[0].tracks) == ["t1", "t2"]


def test_who_is_not_in_the_zone_takes_nobodys_place() -> None:
    book = opened_book()

    read(book, 9.0, stood(8.0, 9.0, track_id="t2"), present={"keep_out": []})

    assert list(book.open_incidents[0].tracks) == ["t1"]


def test_it_closes_when_nobody_has_been_there_for_so_long() -> None:
    book = opened_book()
    read(book, 8.0, stood(0.0, 8.0))

    assert book.close_stale(header_at(18.0).captured_at) == ()
    [closing] = book.close_stale(header_at(18.1).captured_at)

    assert closing.state is IncidentState.CLOSED
    assert book.incident(closing.incident_id).active_at == START + timedelta(seconds=8)


def test_somebody_who_stays_keeps_it_open_for_hours() -> None:
    book = opened_book()

    for second in range(6, 7200, 60):
        read(book, second, stood(second - 2, second))
        assert book.close_stale(header_at(second + 1).captured_at) == ()


def test_an_absence_within_the_grace_time_ends_where_the_track_was_last_seen() -> None:
    book = opened_book()

    read(book, 6.5, present={"keep_out": ["t1"]})

    assert book.open_incidents[0].active_at == START + timedelta(seconds=5)


def test_news_within_a_second_go_together_into_one_revision() -> None:
    book = opened_book()
    crowd = [stood(0.0, 5.0)]
    told = []
    for index in range(2, 7):
        crowd.append(stood(4.0, 5.0, track_id=f"t{index}"))
        now_s = 5.0 + 0.2 * (index - 1)
        told += states(read(book, now_s, *crowd, events=[event(now_s, track_id=f"t{index}")]))

    assert told == [IncidentState.EXTENDED]
    assert len(book.open_incidents[0].rule_events) == 6


def test_a_repeated_event_is_no_news() -> None:
    book = opened_book()

    turn = read(book, 9.0, stood(0.0, 9.0), events=[event(5.0)])

    assert turn.revisions == ()
    assert len(book.open_incidents[0].rule_events) == 1


def test_a_crowd_stays_within_bounds_and_keeps_the_first_event() -> None:
    book = opened_book()

    for index in range(2, 100):
        read(
            book,
            5.0 + index,
            stood(0.0, 5.0 + index),
            stood(4.0 + index, 5.0 + index, track_id=f"t{index}"),
            events=[event(5.0 + index, track_id=f"t{index}")],
        )

    [incident] = book.open_incidents
    assert len(incident.rule_events) == MAX_RULE_EVENTS
    assert incident.rule_events[0].track_id == "t1"
    assert incident.rule_events[-1].track_id == "t99"
    assert len(incident.tracks) <= 24


def test_two_cameras_have_their_own_books() -> None:
    gate, yard = opened_book(), IncidentBook(close_after_s=10.0)

    read(yard, 5.0, stood(0.0, 5.0))

    assert len(gate.open_incidents) == 1
    assert yard.open_incidents == ()


def test_a_run_that_begins_before_what_is_known_does_not_keep_it_open_for_ever() -> None:
    book = opened_book(50.0, track=stood(40.0, 50.0))

    book.begin_run(header_at(0.0).captured_at)

    assert len(book.close_stale(header_at(10.1).captured_at)) == 1


def test_closing_all_leaves_them_readable_until_they_are_removed() -> None:
    book = opened_book()

    [closing] = book.close_all()

    assert book.incident(closing.incident_id).rule_events
    book.remove(closing.incident_id)
    assert book.open_incidents == ()


def test_a_restored_book_goes_on() -> None:
    first = opened_book()
    second = IncidentBook(close_after_s=10.0)

    second.restore(first.open_incidents)
    read(second, 9.0, stood(7.0, 9.0, track_id="t2"), events=[event(9.0, track_id="t2")])

    [incident] = second.open_incidents
    assert incident.incident_id == first.open_incidents[0].incident_id
