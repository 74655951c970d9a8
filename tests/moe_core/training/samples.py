"""A few simulated incidents with their truth, made once, and examples of them."""

from dataclasses import replace
from functools import cache

import numpy as np

from api.simulation.seeing import Eyes
from contracts.incidents import Incident
from contracts.tracks import Track
from moe_core.training.corpus import Sample
from moe_core.training.examples import Example, example_of
from moe_core.training.world.stories import make_scene
from moe_core.training.world.truth import Truth

_SCENES = ((1, "line_cross"), (1, "loiter"), (2, "zone_entry"), (2, "intrusion"))


@cache
def samples() -> tuple[Sample, ...]:
    """Some of what really happened and some of what did not."""
    return tuple(
        Sample(incident=incident, truth=truth)
        for seed, family in _SCENES
        for is_real in (True, False)
        for incident, truth in Eyes(make_scene(seed, site=seed, family=family, is_real=is_real))
        .see()
        .samples
    )


@cache
def examples() -> tuple[Example, ...]:
    found = (example_of(sample.incident, sample.truth) for sample in samples())
    return tuple(one for one in found if len(one.prompt.proposals))


def at_site(sample: Sample, site: int) -> Sample:
    return replace(sample, truth=replace(sample.truth, site=site))


def owner_of(track: Track, object_id: str = "o1") -> Track:
    """The true object that a track follows exactly."""
    return replace(track, track_id=object_id, label_confidence=1.0)


def truth_about(
    incident: Incident,
    *,
    objects: tuple[Track, ...] | None = None,
    owners: dict[str, str] | None = None,
    is_real: bool = True,
) -> Truth:
    """A truth in which every track follows its own object exactly, unless said otherwise."""
    own = tuple(owner_of(one, f"o{one.track_id}") for one in incident.tracks)
    return Truth(
        owners={one.track_id: f"o{one.track_id}" for one in incident.tracks}
        if owners is None
        else owners,
        objects=own if objects is None else objects,
        real_events=frozenset(event.event_id for event in incident.rule_events)
        if is_real
        else frozenset(),
        is_real=is_real,
        family=str(incident.kind),
        is_look_alike=not is_real,
        site=1,
    )


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)
