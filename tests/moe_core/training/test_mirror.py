"""What a mirror shows is what would have been read, had the scene been turned around."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.geometry import Box, Zone
from contracts.incidents import Fact, FactName, Incident
from contracts.tracks import Track
from moe_core.checkers.case import Case
from moe_core.core_chain import drafted
from moe_core.tokens.prompt import prompt_of
from moe_core.training.examples import example_of
from moe_core.training.mirror import mirrored
from tests.moe_core.training.samples import examples, samples

SIDES = {"left": "right", "right": "left"}


def turned(incident: Incident) -> Incident:
    """Return the incident with left and right changed over, lines walked the other way round."""
    return replace(
        incident,
        zones=tuple(_zone(zone) for zone in incident.zones),
        lines=tuple(
            replace(line, points=tuple((1 - x, y) for x, y in reversed(line.points)))
            for line in incident.lines
        ),
        tracks=tuple(_track(track) for track in incident.tracks),
        facts=tuple(_fact(fact) for fact in incident.facts),
    )


def _zone(zone: Zone) -> Zone:
    return replace(zone, polygon=tuple((1 - x, y) for x, y in reversed(zone.polygon)))


def _track(track: Track) -> Track:
    points = [replace(point, box=_box(point.box)) for point in track.points]
    return replace(track, points=tuple(points))


def _box(box: Box) -> Box:
    x1, y1, x2, y2 = box
    return (1 - x2, y1, 1 - x1, y2)


def _fact(fact: Fact) -> Fact:
    if fact.name is not FactName.ENTERED_FROM:
        return fact
    return replace(fact, text=SIDES.get(fact.text, fact.text))


def test_it_reads_as_the_turned_scene_does() -> None:
    for sample in samples():
        assert all(len(line.points) == 2 for line in sample.incident.lines)
        mirror = mirrored(example_of(sample.incident, sample.truth)).prompt
        draft = drafted(Case(sample.incident))
        real = prompt_of(Case(turned(sample.incident)), draft)
        np.testing.assert_array_equal(mirror.words_S, real.words_S)
        np.testing.assert_allclose(mirror.features_SF, real.features_SF, atol=2e-4)


@pytest.mark.parametrize("index", range(4))
def test_two_mirrors_show_what_is_there(index: int) -> None:
    example = examples()[index]
    twice = mirrored(mirrored(example)).prompt

    np.testing.assert_allclose(twice.features_SF, example.prompt.features_SF, atol=1e-5)
    np.testing.assert_array_equal(twice.words_S, example.prompt.words_S)
    assert example.prompt.features_SF is not twice.features_SF
