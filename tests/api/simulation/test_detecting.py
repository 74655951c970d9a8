"""The simulated detector."""

import numpy as np
import pytest

from api.simulation.detecting import SimulatedDetector, noise_of
from contracts.detections import ANY_LABEL
from contracts.tracks import POSTURES
from moe_core.training.world.site import Site, make_site
from moe_core.training.world.stories import make_scene
from vision.noise import shipped_noise

SITES = [make_site(number) for number in range(60)]


def first(*, knows_classes: bool) -> Site:
    return next(site for site in SITES if site.knows_classes is knows_classes)


@pytest.mark.parametrize("site", SITES[:20])
def test_sites_see_better_or_worse_than_the_shipped_detector(site: Site) -> None:
    better = noise_of(site).found.level > shipped_noise().found.level
    assert better is (site.miss < 1)


def test_a_detector_without_classes_names_everything_object() -> None:
    site = first(knows_classes=False)
    detector = SimulatedDetector(make_scene(1, site=site.number, family="crowd", is_real=True))
    for index in range(60):
        found = detector.detect(index)
        assert found.detections.labels == (ANY_LABEL,)
        assert found.detections.is_proven_N is None


def test_each_detection_has_a_source() -> None:
    site = first(knows_classes=True)
    scene = make_scene(1, site=site.number, family="crowd", is_real=True)
    detector = SimulatedDetector(scene)
    ids = {actor.object_id for actor in scene.actors if not actor.is_ghost}
    seen: set[str] = set()
    for index in range(len(scene.times_T)):
        found = detector.detect(index)
        assert len(found.sources) == len(found.detections)
        seen.update(found.sources)
    assert seen - {""} <= ids
    assert len(seen) > 2


def test_falls_are_asked_for_guesses_with_postures() -> None:
    site = next(one for one in SITES if one.knows_classes and one.number % 2 == 0)
    scene = make_scene(2, site=site.number, family="fall", is_real=True)
    detector = SimulatedDetector(scene)
    guessed = 0
    for index in range(len(scene.times_T)):
        detections, _, guesses = detector.detect(index)
        if detections.guesses is None:
            continue
        assert len(guesses) == len(detections.guesses) >= len(detections)
        guessed += len(detections.guesses) - len(detections)
        if detections.postures_NP is not None and len(detections):
            assert detections.posture_labels == POSTURES
            assert np.allclose(detections.postures_NP.sum(axis=1), 1, atol=1e-5)
    assert guessed > 0


def test_a_blinded_camera_finds_nothing() -> None:
    scene = make_scene(4, site=first(knows_classes=True).number, family="tamper", is_real=True)
    detector = SimulatedDetector(scene)
    for index in range(len(scene.times_T)):
        found = detector.detect(index)
        if scene.is_blind_T[index]:
            assert set(found.sources) <= {""}
