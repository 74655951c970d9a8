"""The table of what the shipped weights can do, against published models, on places held out.

Everything is measured in one run on the same pictures; costs are interleaved medians on one
thread, resizing included.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from contracts.clock import Clock
from vision.encoder import Encoder, ObjectHead
from vision.training.appearance import POSTURES, ReIdentification
from vision.training.corpus import Corpus, Object, Sample
from vision.training.descriptions import people_of
from vision.training.evaluate import MATCH_IOU, PEOPLE, VEHICLES, Find, Verdicts, judge
from vision.training.objects import region_features
from vision.training.teachers import iou

FloatArray = npt.NDArray[np.float32]

TRUTH: Final = Path(__file__).parent / "truth" / "fall_endings.json"
THRESHOLD: Final = 0.3
"""Where the published detector is taken: the usual threshold of its demo."""
VISITORS: Final = ((6.0, 19.6), (22.8, 44.6), (50.2, 70.0))
"""Seconds in which each of the three visitors is in the room, by eye."""
TIMED_PICTURES: Final = 60
UPRIGHT: Final = "people, all held-out cameras"
LYING: Final = "lying people found, pictures"
VEHICLE_RECALL: Final = "vehicles, held-out cameras and stills"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: what was asked, ours, theirs; ``threshold`` is ours, if any."""

    what: str
    ours: float
    theirs: float
    note: str = ""
    threshold: float = 0.0

    @property
    def ratio(self) -> float:
        """Ours by theirs; 0 if theirs is 0."""
        return self.ours / self.theirs if self.theirs else 0.0


def detection_rows(corpus: Corpus, ours: Find, theirs: Find) -> Iterator[Row]:
    """Yield recall at the precision that the other detector has at its usual threshold."""
    for name, (samples, labels) in groups(corpus).items():
        if not samples:
            continue
        theirs_all = judge(corpus, samples, theirs, labels)
        precision, recall = theirs_all.at(THRESHOLD)
        ours_all = judge(corpus, samples, ours, labels)
        own, threshold = ours_all.recall_at_precision(precision)
        yield Row(
            what=f"{name}: recall at precision {precision:.2f}",
            ours=own,
            theirs=recall,
            threshold=threshold,
            note=f"{ours_all.truths} objects in {len(samples)} pictures; our threshold "
            f"{threshold:.2f}; {_curve(ours_all)} against {_curve(theirs_all)}",
        )


def groups(corpus: Corpus) -> Mapping[str, tuple[list[Sample], Sequence[int]]]:
    """Return what is compared: by name, held-out pictures and the classes looked for."""
    held_out = corpus.part(held_out=True)
    return {
        UPRIGHT: (_cameras(held_out), PEOPLE),
        "people, fights on held-out cameras": (_below(held_out, "fight/"), PEOPLE),
        "people, labelled stills": (_below(held_out, "images/voc", "images/coco"), PEOPLE),
        "people at work, labelled stills": (_below(held_out, "images/hard"), PEOPLE),
        VEHICLE_RECALL: (
            [*_cameras(held_out), *_below(held_out, "images/voc", "images/coco")],
            VEHICLES,
        ),
        "vehicles, labelled stills": (_below(held_out, "images/voc", "images/coco"), VEHICLES),
    }


def lying_rows(
    corpus: Corpus, ours: Find, theirs: Find, *, thresholds: tuple[float, float]
) -> Iterator[Row]:
    """Yield how many people who lie at the end of a fall are found, in pictures and in clips.

    A clip counts if at least half of its last pictures have a box of a person in the right place.
    """
    endings = json.loads(TRUTH.read_text())["boxes"]
    counts = [
        _lying(corpus, find, at, endings)
        for find, at in zip((ours, theirs), thresholds, strict=True)
    ]
    (our_pictures, our_clips), (their_pictures, their_clips) = counts
    note = f"thresholds {thresholds[0]:.2f} and {thresholds[1]:.2f}; overlap at least {MATCH_IOU}"
    total = lying_pictures(corpus)
    yield Row(
        what=f"{LYING}, of {total}",
        ours=our_pictures,
        theirs=their_pictures,
        note=note,
    )
    yield Row(
        what=f"lying people found, falls, of {len(endings)}",
        ours=our_clips,
        theirs=their_clips,
        note=note,
    )


def lying_pictures(corpus: Corpus) -> int:
    """Return how many pictures show somebody who lies at the end of a fall."""
    endings = json.loads(TRUTH.read_text())["boxes"]
    return sum(
        sample.source in endings and sample.time_s >= endings[sample.source]["from_s"]
        for sample in corpus.samples
    )


def identity_rows(
    corpus: Corpus, encoder: Encoder, head: ObjectHead, identify: ReIdentification
) -> Iterator[Row]:
    """Yield how well the embedding separates three visitors of one room."""
    ours, theirs, who = [], [], []
    for sample in _below(corpus.part(held_out=True), "intel/one_by_one"):
        visitor = [i for i, (first, last) in enumerate(VISITORS) if first <= sample.time_s <= last]
        people = people_of(sample)
        if not visitor or not people:
            continue
        pixels_HW3 = corpus.pixels(sample)
        box_4 = np.array([people[0].box], np.float32)
        with torch.no_grad():
            embedding, _ = head.describe(region_features(encoder, pixels_HW3, box_4))
        x1, y1, x2, y2 = box_4[0].round().astype(int).clip(0)
        ours.append(embedding[0].numpy())
        theirs.append(identify(pixels_HW3[y1:y2, x1:x2]))
        who.append(visitor[0])
    if not who:
        return
    own, other = separation(np.array(ours), who), separation(np.array(theirs), who)
    note = (
        f"{len(who)} sights; mean similarity of the same and of two: {own[1]:.2f} and "
        f"{own[2]:.2f} (osnet {other[1]:.2f} and {other[2]:.2f})"
    )
    yield Row(
        what="pairs in which the same person is more alike than two persons",
        ours=own[0],
        theirs=other[0],
        note=note,
    )


def posture_rows(corpus: Corpus, encoder: Encoder, head: ObjectHead) -> Iterator[Row]:
    """Yield how often lying is told from the rest: at the ends of falls and in daily life."""
    endings = json.loads(TRUTH.read_text())["boxes"]
    right = {"lying": [0, 0], "not lying": [0, 0]}
    for sample in _below(corpus.part(held_out=True), "fall/"):
        ending = endings.get(sample.source)
        is_end = ending is not None and sample.time_s >= ending["from_s"]
        if is_end:
            box, name = ending["box"], "lying"
        else:
            people = people_of(sample)
            if ending is not None or not people:
                continue
            box, name = people[0].box, "not lying"
        features = region_features(encoder, corpus.pixels(sample), np.array([box], np.float32))
        with torch.no_grad():
            posture = POSTURES[int(head.describe(features)[1][0].argmax())]
        right[name][0] += (posture == "lying") == is_end
        right[name][1] += 1
    for name, (good, total) in right.items():
        if total:
            yield Row(what=f"posture told right: {name}, of {total}", ours=good, theirs=0.0)


def cost_rows(
    pictures: Sequence[Callable[[], object]], others: Sequence[Callable[[], object]], clock: Clock
) -> Iterator[Row]:
    """Yield milliseconds per picture of two detectors, taken in turns."""
    ours: list[float] = []
    theirs: list[float] = []
    for look, other in zip(pictures, others, strict=True):
        for action, times in ((look, ours), (other, theirs)):
            before_s = clock.monotonic_s()
            action()
            times.append(1000 * (clock.monotonic_s() - before_s))
    yield Row(
        what="milliseconds per picture, one thread, resizing included",
        ours=median(ours),
        theirs=median(theirs),
        note=f"{len(ours)} pictures each, in turns",
    )


def separation(vectors_KD: FloatArray, who: Sequence[int]) -> tuple[float, float, float]:
    """Return the share of (same, different) pairs in the right order, and both means."""
    similarity_KK = vectors_KD @ vectors_KD.T
    upper = np.triu_indices(len(who), 1)
    names = np.array(who)
    is_same = (names[:, None] == names[None])[upper]
    same, different = similarity_KK[upper][is_same], np.sort(similarity_KK[upper][~is_same])
    order = np.searchsorted(different, same).mean() / max(1, len(different))
    return float(order), float(same.mean()), float(different.mean())


def measured(rows: Sequence[Row], *, lying: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return recalls of upright and lying people and of vehicles, and the cost, ours and theirs.

    Args:
        rows: Of the whole report.
        lying: How many pictures of lying people there were.
    """
    names = {"upright": UPRIGHT, "lying": LYING, "vehicles": VEHICLE_RECALL, "ms": "milliseconds"}
    both: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for name, start in names.items():
        row = next((row for row in rows if row.what.startswith(start)), None)
        for side, value in zip(both, (row.ours, row.theirs) if row else (0.0, 0.0), strict=True):
            side[name] = round(value / lying if name == "lying" and lying else value, 3)
    return both


def table(rows: Sequence[Row], *, theirs: str) -> str:
    """Return the rows as Markdown."""
    lines = [f"| what | ours | {theirs} | ratio | |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.what} | {row.ours:.3g} | {row.theirs:.3g} | {row.ratio:.2f} | {row.note} |"
        for row in rows
    ]
    return "\n".join(lines)


def _lying(
    corpus: Corpus, find: Find, threshold: float, endings: Mapping[str, dict[str, object]]
) -> tuple[int, int]:
    hits: dict[str, list[bool]] = {name: [] for name in endings}
    for sample in corpus.samples:
        ending = endings.get(sample.source)
        if ending is None or sample.time_s < float(str(ending["from_s"])):
            continue
        found = [
            item
            for item in find(corpus.pixels(sample))
            if item.label in PEOPLE and item.score >= threshold
        ]
        hits[sample.source].append(_is_at(found, ending["box"]))
    clips = sum(sum(found) * 2 >= len(found) > 0 for found in hits.values())
    return sum(map(sum, hits.values())), clips


def _is_at(found: Sequence[Object], box: object) -> bool:
    boxes_N4 = np.array([item.box for item in found], np.float32).reshape(-1, 4)
    overlaps = iou(np.array([box], np.float32), boxes_N4)
    return bool((overlaps >= MATCH_IOU).any())


def _curve(verdicts: Verdicts) -> str:
    points = [f"{verdicts.recall_at_precision(least)[0]:.2f}" for least in (0.9, 0.8, 0.7)]
    return f"recall {' / '.join(points)} at precision 0.9 / 0.8 / 0.7"


def _below(samples: Sequence[Sample], *folders: str) -> list[Sample]:
    return [sample for sample in samples if sample.source.startswith(folders)]


def _cameras(samples: Sequence[Sample]) -> list[Sample]:
    """Return pictures of held-out cameras: every second one, without the falls."""
    others = ("images/", "fall/", "fire/")
    return [sample for sample in samples if not sample.source.startswith(others)][::2]
