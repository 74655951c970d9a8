"""What a detector would have said of a simulated scene, and whom each detection is of."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from contracts.detections import ANY_LABEL, Detections
from contracts.rules import RuleKind
from contracts.tracks import POSTURES
from moe_core.training.world.scene import FPS, Scene
from moe_core.training.world.site import Site
from vision.noise import NoiseModel, chance, shipped_noise
from vision.noisy_detector import NoisyDetector, Simulated, TrueObjects
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
MOVES: Final = 0.02
LOOK_ANYWAY: Final = 10
"""Where nothing moves, every tenth frame is looked at."""
POSTURES_BELOW: Final = (0.85, 0.68, 0.48)
"""Heights below which somebody who stood is bent, sits, lies."""
POSTURE_SURE: Final = 1.8
LOW: Final = 0.6
LOW_MISSED: Final = 0.35
LOW_DOUBT: Final = 0.8
GUESSED: Final = 0.7
"""Of people who are missed, so many are taken for somebody all the same, however unsurely."""
GUESS_SHARE: Final = 0.04
GUESS_CONFIDENCE: Final = (0.14, 0.34)


class Detected(NamedTuple):
    """What was found in a frame; whom each detection and each guess is of, empty if nobody."""

    detections: Detections
    sources: list[str]
    guesses: list[str]


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
        self._is_object_A = np.array([not actor.fixed for actor in scene.actors], np.bool_)
        self._is_asked = any(cue.kind is RuleKind.FALL for cue in scene.cues)
        self._last_s = 0.0

    def detect(self, index: int) -> Detected:
        """Return what the detector says of a frame, and whom each detection is of."""
        scene = self._scene
        rows = np.flatnonzero(
            scene.in_view_AT[:, index]
            & scene.is_shown_AT[:, index]
            & (scene.hidden_AT[:, index] < 0.95)
            & self._is_object_A
            & ~scene.is_blind_T[index]
        )
        actors = [scene.actors[row] for row in rows]
        if not len(rows) and self._is_still(index):
            return Detected(Detections.none(self._labels), [], [])
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
        confidences_M, kept, sources = self._weighed(shown, rows, index)
        found = chosen(replace(shown.detections, confidences_N=confidences_M), kept)
        found = self._with_postures(found, shown.source_M[kept], rows, index)
        names = [sources[number] for number in kept]
        return self._with_guesses(found, names, rows, index)

    def _is_still(self, index: int) -> bool:
        """Say whether nobody looks: nothing moves, and it is not yet time to look all the same."""
        scene = self._scene
        moves = scene.moving_T[index] > MOVES or scene.light_T[index] > MOVES
        return not moves and index % LOOK_ANYWAY > 0

    def _weighed(
        self, shown: Simulated, rows: Ints, index: int
    ) -> tuple[npt.NDArray[np.float32], list[int], list[str]]:
        """Return how sure the detector is of each, which it stands by, and whom they are of."""
        confidences = shown.detections.confidences_N.copy()
        kept, sources = [], []
        for number, source in enumerate(shown.source_M.tolist()):
            if source < 0:
                kept.append(number)
                sources.append(NOBODY)
                continue
            row = int(rows[source])
            actor = self._scene.actors[row]
            doubt = actor.doubt
            if self._scene.low_AT[row, index] < LOW:
                # Who lies or squats is found less often, and less surely.
                if self._rng.random() < LOW_MISSED:
                    sources.append(actor.object_id)
                    continue
                doubt += LOW_DOUBT
            if doubt:
                confidences[number] = expit(logit(confidences[number]) - doubt)
            kept.append(number)
            sources.append(NOBODY if actor.is_ghost else actor.object_id)
        return confidences.astype(np.float32), kept, sources

    def _with_postures(
        self, found: Detections, source_M: Ints, rows: Ints, index: int
    ) -> Detections:
        """Say how each holds itself and which may begin a track, where the detector knows."""
        if len(self._labels) == 1:
            return found
        proven = np.asarray(found.confidences_N >= SURE)
        for number, source in enumerate(source_M.tolist()):
            if source >= 0:
                proven[number] |= self._has_moved(int(rows[source]), index)
        if self._looks_AD is None:
            return replace(found, is_proven_N=proven)
        low_M = np.ones(len(source_M))
        low_M[source_M >= 0] = self._scene.low_AT[rows[source_M[source_M >= 0]], index]
        return replace(
            found,
            is_proven_N=proven,
            postures_NP=self._postures(low_M),
            posture_labels=POSTURES,
        )

    def _postures(self, low_M: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """Return shares of the postures that fit heights, more or less."""
        right_M = (low_M[:, None] <= POSTURES_BELOW).sum(axis=1)
        logits = self._rng.normal(0, 1.0, (len(low_M), len(POSTURES)))
        logits[np.arange(len(low_M)), right_M] += POSTURE_SURE
        shares = np.exp(logits)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)

    def _with_guesses(
        self, found: Detections, sources: list[str], rows: Ints, index: int
    ) -> Detected:
        """Add what the detector took for somebody without standing by it, where cues ask."""
        if not self._is_asked or len(self._labels) == 1:
            return Detected(found, sources, sources)
        boxes, names, low = [], [], []
        for row in rows.tolist():
            actor = self._scene.actors[row]
            hidden = self._scene.hidden_AT[row, index]
            is_missed = actor.object_id not in sources and actor.label == "person"
            if is_missed and not actor.is_ghost and self._rng.random() < GUESSED * (1 - hidden):
                seen_4 = self._scene.seen_AT4[row, index]
                sides = seen_4[2:] - seen_4[:2]
                off_4 = self._rng.normal(0, GUESS_SHARE, 4) * np.tile(sides, 2)
                low_4 = np.clip(seen_4 + off_4, 0, 1)
                if (low_4[2:] - low_4[:2] > 0.004).all():
                    boxes.append(low_4)
                    names.append(actor.object_id)
                    low.append(self._scene.low_AT[row, index])
        guesses = Detections(
            boxes_N4=np.vstack([found.boxes_N4, *boxes]).astype(np.float32),
            confidences_N=np.concatenate(
                [found.confidences_N, self._rng.uniform(*GUESS_CONFIDENCE, len(boxes))]
            ).astype(np.float32),
            class_ids_N=np.concatenate(
                [found.class_ids_N, np.full(len(boxes), self._labels.index("person"), np.int64)]
            ),
            labels=self._labels,
        )
        if found.postures_NP is not None:
            guesses = replace(
                guesses,
                postures_NP=np.vstack([found.postures_NP, self._postures(np.array(low))]),
                posture_labels=POSTURES,
            )
        return Detected(replace(found, guesses=guesses), sources, [*sources, *names])

    def _exact(self, truth: TrueObjects, rows: Ints) -> Detected:
        actors = [self._scene.actors[row] for row in rows]
        kept = [number for number, actor in enumerate(actors) if not actor.is_ghost]
        labels = [actors[number].label for number in kept]
        boxes = truth.boxes_N4[kept]
        found = Detections(
            boxes_N4=boxes.reshape(-1, 4).astype(np.float32),
            confidences_N=np.full(len(kept), 0.95, np.float32),
            class_ids_N=np.array([LABELS.index(label) for label in labels], np.int64),
            labels=LABELS,
        )
        sources = [actors[number].object_id for number in kept]
        return Detected(replace(found, guesses=found), sources, sources)

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


def chosen(found: Detections, kept: Sequence[int]) -> Detections:
    """Return some of the detections, in order."""
    if len(kept) == len(found):
        return found
    rows = np.array(kept, np.int64)
    embeddings = found.embeddings_ND
    return replace(
        found,
        boxes_N4=found.boxes_N4[rows],
        confidences_N=found.confidences_N[rows],
        class_ids_N=found.class_ids_N[rows],
        embeddings_ND=None if embeddings is None else embeddings[rows],
    )
