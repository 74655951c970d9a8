"""Scenes through vision: events are told, and what is told is judged rightly."""

from collections import Counter

import pytest

from api.simulation.seeing import Eyes, Judged
from contracts.incidents import IncidentState
from moe_core.training.world.stories import NORMAL, STORIES, make_scene

FAMILIES = [family for family in STORIES if family != NORMAL]
CUES = ("fall", "fight", "abandoned", "removed", "fire", "smoke", "tamper")
SEEDS = range(4)


def seen(family: str, *, is_real: bool, is_perfect: bool, seed: int) -> Judged:
    scene = make_scene(seed, site=3 * seed + 1, family=family, is_real=is_real)
    return Eyes(scene, is_perfect=is_perfect).see()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_detector_without_noise_tells_of_the_event(family: str) -> None:
    judged = [seen(family, is_real=True, is_perfect=True, seed=seed) for seed in SEEDS]
    expected = sum(one.expected for one in judged)
    assert expected >= len(SEEDS)
    assert sum(one.missed for one in judged) <= 0.25 * expected


@pytest.mark.slow
def test_without_noise_what_is_told_is_true() -> None:
    told: Counter[bool] = Counter()
    for family in FAMILIES:
        for seed in range(3):
            judged = seen(family, is_real=True, is_perfect=True, seed=seed)
            told.update(truth.is_real for _, truth in judged.samples)
    assert told[True] > 80
    assert told[True] >= 0.98 * told.total()


@pytest.mark.parametrize("family", CUES)
def test_what_only_looks_like_it_is_never_true(family: str) -> None:
    told: Counter[bool] = Counter()
    for seed in range(5):
        judged = seen(family, is_real=False, is_perfect=False, seed=seed)
        told.update(
            truth.is_real for incident, truth in judged.samples if incident.kind.value == family
        )
    assert told[True] == 0


def test_regions_are_owned_by_what_is_really_there() -> None:
    for family in CUES:
        judged = seen(family, is_real=True, is_perfect=False, seed=3)
        for incident, truth in judged.samples:
            there = {track.track_id for track in truth.objects}
            for event in incident.rule_events:
                if event.event_id in truth.real_events:
                    assert truth.owners[event.track_id] in there


@pytest.mark.slow
def test_noise_makes_look_alikes_of_nothing() -> None:
    told: Counter[bool] = Counter()
    for family in ("intrusion", "line_cross", "zone_entry"):
        for seed in range(8):
            judged = seen(family, is_real=False, is_perfect=False, seed=seed)
            told.update(truth.is_real for _, truth in judged.samples)
    assert told[False] > told[True]


def test_a_scene_is_seen_the_same_twice() -> None:
    first, second = (seen("loiter", is_real=True, is_perfect=False, seed=5) for _ in range(2))
    assert first == second
    assert first.samples


def test_tracks_are_owned_by_objects_that_are_there() -> None:
    for seed in range(6):
        judged = seen("intrusion", is_real=True, is_perfect=False, seed=seed)
        for incident, truth in judged.samples:
            assert truth.owners.keys() == {track.track_id for track in incident.tracks}
            there = {track.track_id for track in truth.objects} | {""}
            assert set(truth.owners.values()) <= there


def test_every_incident_is_opened_and_closed() -> None:
    for seed in range(5):
        judged = seen("zone_entry", is_real=True, is_perfect=False, seed=seed)
        states: dict[str, list[IncidentState]] = {}
        for incident, _ in judged.samples:
            states.setdefault(incident.incident_id, []).append(incident.state)
        for told in states.values():
            assert told[0] is IncidentState.OPENED
            assert told[-1] is IncidentState.CLOSED
