"""What the replay says becomes the same incidents as live, shown a fraction of the frames."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from contracts.rules import RuleKind, SceneRules
from tests.fakes.clock import START
from tests.fakes.street_life import EVERY_KIND, Frames, street
from tests.fakes.track_archives import recorded
from vision.backtest.merging import IncidentMerger, MergedIncident
from vision.backtest.replay import replay_rules
from vision.backtest.sitting import Sitting
from vision.incidents import IncidentBook, Revision
from vision.observation import Observation
from vision.watch import Watch

Told = tuple[str, str, datetime, datetime, datetime, tuple[str, ...], tuple[str, ...]]


def live(sittings: Sequence[Frames], scene: SceneRules, close_after_s: float) -> list[Told]:
    """As ``vision/pipeline.py`` does it."""
    book = IncidentBook(close_after_s)
    joined: dict[str, list[str]] = {}
    told: list[Told] = []

    def close(revisions: Sequence[Revision]) -> None:
        for due in revisions:
            one = book.incident(due.incident_id)
            book.remove(one.incident_id)
            told.append(
                (
                    one.incident_id,
                    one.severity,
                    one.started_at,
                    one.decisive_at,
                    one.active_at,
                    tuple(joined[one.incident_id]),
                    tuple(one.tracks),
                )
            )

    for number, frames in enumerate(sittings):
        watch = Watch(scene)
        if number:
            book.begin_run(frames[0][0].captured_at)
        for header, tracks in frames:
            close(book.close_stale(header.captured_at))
            watched = watch.look(Observation(header=header, tracks=tracks))
            turn = book.read(watched.events, tracks=tracks, present=watched.present, header=header)
            for one in turn.joined:
                joined.setdefault(one.incident_id, []).append(one.event.event_id)
    close(book.close_all())
    return sorted(told)


def replayed(sittings: Sequence[Frames], scene: SceneRules, close_after_s: float) -> list[Told]:
    merger = IncidentMerger(close_after_s=close_after_s)
    for frames in sittings:
        sitting = Sitting(recorded(frames))
        merger.read(sitting, replay_rules(sitting, scene, time_zone=None))
    return sorted(as_told(one) for one in merger.finish())


def as_told(one: MergedIncident) -> Told:
    return (
        one.incident_id,
        one.severity,
        one.started_at,
        one.decisive_at,
        one.ended_at,
        one.event_ids,
        one.track_ids,
    )


def as_run(frames: Frames, number: int, starts_s: float) -> Frames:
    """The same frames in a run of their own, with tracks of their own."""
    shift = timedelta(seconds=starts_s)

    def renamed(name: str) -> str:
        return f"t{1000 * number + int(name[1:])}"

    return [
        (
            replace(header, run_id=f"run{number}", captured_at=header.captured_at + shift),
            [
                replace(
                    track,
                    track_id=renamed(track.track_id),
                    run_id=f"run{number}",
                    first_seen_at=track.first_seen_at + shift,
                    points=tuple(
                        replace(point, captured_at=point.captured_at + shift)
                        for point in track.points
                    ),
                )
                for track in tracks
            ],
        )
        for header, tracks in frames
    ]


def only(*kinds: RuleKind) -> SceneRules:
    rules = tuple(rule for rule in EVERY_KIND.rules if rule.kind in kinds)
    return replace(EVERY_KIND, rules=rules)


@pytest.mark.parametrize("seed", range(6))
def test_incidents_of_all_rules_together(seed: int) -> None:
    sittings = [street(seed, count=10, until_s=90.0)]

    assert replayed(sittings, EVERY_KIND, 10.0) == live(sittings, EVERY_KIND, 10.0)


@settings(max_examples=20, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@example(seed=197, kinds={RuleKind.INTRUSION}, close_after_s=10.0)
@given(
    seed=st.integers(0, 2**32 - 1),
    kinds=st.sets(st.sampled_from([rule.kind for rule in EVERY_KIND.rules]), min_size=1),
    close_after_s=st.sampled_from([10.0, 10.0, 3.0, 0.5]),
)
def test_incidents_of_any_rules(seed: int, kinds: set[RuleKind], close_after_s: float) -> None:
    wanted = kinds - {RuleKind.SEQUENCE} or {RuleKind.INTRUSION}
    sittings = [street(seed, count=10, until_s=120.0)]
    scene = only(*wanted)

    assert replayed(sittings, scene, close_after_s) == live(sittings, scene, close_after_s)


@pytest.mark.parametrize("starts_s", [58.0, 61.0, 75.0])
def test_an_incident_goes_on_in_the_next_run(starts_s: float) -> None:
    frames = street(3, count=8, until_s=60.0, stalls=False)
    sittings = [frames, as_run(frames, 2, starts_s)]
    scene = only(RuleKind.INTRUSION, RuleKind.LOITER)

    assert replayed(sittings, scene, 10.0) == live(sittings, scene, 10.0)


def test_a_quiet_rule_makes_no_incident() -> None:
    sittings = [street(1)]
    quiet = tuple(replace(rule, is_quiet=True) for rule in only(RuleKind.INTRUSION).rules)

    assert replayed(sittings, replace(EVERY_KIND, rules=quiet), 10.0) == []


def test_no_frame_is_needed_where_nobody_is() -> None:
    """START stands for the first frame of an empty street."""
    assert replayed([street(2, count=0, until_s=20.0, began=START)], EVERY_KIND, 10.0) == []
