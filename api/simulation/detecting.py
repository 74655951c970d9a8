"""What a detector would have said of a simulated scene, and whom each detection is of."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from contracts.detections import ANY_LABEL, Detections
from moe_core.training.world.scene import FPS, Scene
from moe_core.training.world.site import Site
from vision.noise import NoiseModel, chance, shipped_noise
from vision.noisy_detector import NoisyDetector, TrueObjects
from vision.proof import SURE

Ints = npt.NDArray[np.int64]

LABELS: Final = (
    "person", "bicycle", "car", "motorcycle", "bus", "truck", "cat", "dog", "bag", "object",
)  # fmt: skip
CONFUSION: Final[Mapping[str, Mapping[str, float]]] = {
    "dog": {"dog": 0.74, "person": 0.08, "cat": 0.06, "object": 0.12},
    "cat": {"cat": 0.7, "dog": 0.12, "object": 0.18},
    "bicycle": {"bicycle": 0.62, "person": 0.22, "motorcycle": 0.08, "object": 0.08},
    "bag": {"bag": 0.85, "object": 0.15},
    "object": {"object": 0.9, "person": 0.1},
}
"""Of classes that the fitted model has seen too few of."""
CALLED: Final = 0.75
"""Share of the frames in which what is taken for something else is called so."""
MOVED_S: Final = 2.0
MOVED: Final = 0.15
"""Of its size: who has moved by so much within ``MOVED_S`` may begin a track unproven."""
LOOKS: Final = 24
NOBODY: Final = ""


class SimulatedDetector:
    """The detector of one site, for one scene.

    Args:
        scene: What there is to be seen.
        is_perfect: It misses nothing and is never wrong; for tests.
    """

    def __init__(self, scene: Scene, *, is_perfect: bool = False) -> None:
        site = scene.site
        self._scene = scene
        self._is_perfect = is_perfect
        self._labels = LABELS if site.knows_classes else (ANY_LABEL,)
        self._rng = np.random.default_rng([scene.seed, site.number, 2])
        noise = noise_of(site)
        self._detector = NoisyDetector(noise, labels=self._labels, seed=scene.seed)
        self._looks_AD = _looks(len(scene.actors), noise, site)
        self._last_s = 0.0

    def detect(self, index: int) -> tuple[Detections, list[str]]:
        """Return what the detector says of a frame, and whom each detection is of."""
        scene = self._scene
        rows = np.flatnonzero(
            scene.in_view_AT[:, index]
            & scene.is_shown_AT[:, index]
            & (scene.hidden_AT[:, index] < 0.95)
        )
        actors = [scene.actors[row] for row in rows]
        step_s = scene.times_T[index] - self._last_s
        self._last_s = float(scene.times_T[index])
        names = [actor.called if self._rng.random() < CALLED else actor.label for actor in actors]
        truth = TrueObjects(
            ids_N=rows.astype(np.int64),
            boxes_N4=scene.boxes_AT4[rows, index],
            labels=names if len(self._labels) > 1 else [ANY_LABEL] * len(rows),
            hidden_N=scene.hidden_AT[rows, index],
            seen_N4=scene.seen_AT4[rows, index],
            looks_ND=None if self._looks_AD is None else self._looks_AD[rows],
        )
        if self._is_perfect:
            return self._exact(truth, rows)
        shown = self._detector.detect(truth, step_s=float(step_s))
        detections = shown.detections
        confidences = detections.confidences_N.copy()
        proven = np.asarray(confidences >= SURE)
        sources = []
        for number, source in enumerate(shown.source_M.tolist()):
            if source < 0:
                sources.append(NOBODY)
                continue
            actor = actors[source]
            if actor.doubt:
                confidences[number] = expit(logit(confidences[number]) - actor.doubt)
            proven[number] = confidences[number] >= SURE or self._has_moved(rows[source], index)
            sources.append(NOBODY if actor.is_ghost else actor.object_id)
        is_proven_N = None if len(self._labels) == 1 else proven
        return replace(
            detections, confidences_N=confidences.astype(np.float32), is_proven_N=is_proven_N
        ), sources

    def _exact(self, truth: TrueObjects, rows: Ints) -> tuple[Detections, list[str]]:
        actors = [self._scene.actors[row] for row in rows]
        kept = [number for number, actor in enumerate(actors) if not actor.is_ghost]
        labels = [actors[number].label for number in kept]
        boxes = truth.boxes_N4[kept]
        return Detections(
            boxes_N4=boxes.reshape(-1, 4).astype(np.float32),
            confidences_N=np.full(len(kept), 0.95, np.float32),
            class_ids_N=np.array([LABELS.index(label) for label in labels], np.int64),
            labels=LABELS,
        ), [actors[number].object_id for number in kept]

    def _has_moved(self, row: int, index: int) -> bool:
        """Say whether an object has moved within the last seconds, or has only just come."""
        scene = self._scene
        earlier = max(0, index - round(MOVED_S * FPS))
        now, then = scene.boxes_AT4[row, index], scene.boxes_AT4[row, earlier]
        if not scene.in_view_AT[row, earlier]:
            return True
        size = max(1e-6, math.sqrt((now[2] - now[0]) * (now[3] - now[1])))
        return math.dist(now[:2] + now[2:], then[:2] + then[2:]) / 2 >= MOVED * size


def noise_of(site: Site) -> NoiseModel:
    """Return the shipped noise model with a site's strengths."""
    known = shipped_noise()
    missed = 1 - expit(known.found.level)
    odds = site.miss * missed / (1 - missed)
    confusion = {**known.confusion, **CONFUSION}
    shares = tuple(site.jitter * share for share in known.jitter.shares_4)
    return replace(
        known,
        found=replace(known.found, level=-chance(odds / (1 + odds))),
        jitter=replace(known.jitter, shares_4=(shares[0], shares[1], shares[2], shares[3])),
        confusion=confusion if site.knows_classes else {},
        false_boxes=replace(known.false_boxes, per_frame=site.false * known.false_boxes.per_frame),
    )


def _looks(actors: int, noise: NoiseModel, site: Site) -> npt.NDArray[np.float64] | None:
    """Return what each actor looks like; None where the detector makes no embeddings."""
    if not site.knows_classes or site.number % 2:
        return None
    rng = np.random.default_rng([site.number, 3])
    common_D = rng.standard_normal(LOOKS) / math.sqrt(LOOKS)
    own_AD = rng.standard_normal((actors, LOOKS)) / math.sqrt(LOOKS)
    alike = noise.appearance.alike
    looks_AD = math.sqrt(alike) * common_D + math.sqrt(1 - alike) * own_AD
    return np.asarray(looks_AD / np.linalg.norm(looks_AD, axis=1, keepdims=True).clip(1e-9))
