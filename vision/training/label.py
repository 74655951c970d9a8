"""Has the teachers label a corpus, in several processes, and goes on where it was cut off."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from tqdm import tqdm

from vision.training import corpus
from vision.training.corpus import TAUGHT_FILE, Corpus, Object, Sample
from vision.training.teachers import SAME_IOU, Ensemble, iou

BATCH: Final = 40
"""Pictures between two saves."""

_ensemble: list[Ensemble] = []
_corpus: list[Corpus] = []


def label(folder: Path, teachers: Path, *, processes: int) -> int:
    """Label every picture that has none from the teachers yet; return how many.

    What was labelled by hand stays; the teachers add the classes that nobody labelled.
    """
    done = _load(folder)
    prepared = Corpus.open(folder)
    missing = [index for index in range(len(prepared.samples)) if index not in done]
    batches = [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]
    with ProcessPoolExecutor(processes, initializer=_start, initargs=(folder, teachers)) as pool:
        for answer in tqdm(pool.map(_label, batches), total=len(batches), desc="labelling"):
            done.update(answer)
            _keep(folder, done)
    corpus.save(
        folder,
        [_merged(sample, done[index]) for index, sample in enumerate(prepared.samples)],
    )
    return len(missing)


def _load(folder: Path) -> dict[int, tuple[Object, ...]]:
    path = folder / TAUGHT_FILE
    if not path.is_file():
        return {}
    return msgspec.json.decode(path.read_bytes(), type=dict[int, tuple[Object, ...]])


def _keep(folder: Path, done: dict[int, tuple[Object, ...]]) -> None:
    """Write what was seen so far; whoever is cut off here finds the state before."""
    part = folder / f"{TAUGHT_FILE}.part"
    part.write_bytes(msgspec.json.encode(done))
    part.replace(folder / TAUGHT_FILE)


def _start(folder: Path, teachers: Path) -> None:
    _ensemble.append(Ensemble(teachers))
    _corpus.append(Corpus.open(folder))


def _label(indices: list[int]) -> dict[int, tuple[Object, ...]]:
    prepared, ensemble = _corpus[0], _ensemble[0]
    answers = {}
    for index in indices:
        sample = prepared.samples[index]
        ask = ensemble.judge if sample.is_held_out else ensemble.label
        answers[index] = ask(prepared.pixels(sample))
    return answers


def _merged(sample: Sample, taught: tuple[Object, ...]) -> Sample:
    """Labels by hand, and what the teachers see besides; a label wins over its double."""
    by_hand = tuple(item for item in sample.objects if item.score == 1.0)
    known = set(sample.complete_for)
    boxes_N4 = np.array([item.box for item in by_hand], np.float32).reshape(-1, 4)
    added = []
    for item in taught:
        overlaps_N = iou(np.array([item.box], np.float32), boxes_N4)[0]
        is_double = any(
            overlap >= SAME_IOU and other.label == item.label
            for overlap, other in zip(overlaps_N, by_hand, strict=True)
        )
        if item.label not in known and not is_double:
            added.append(item)
    return msgspec.structs.replace(sample, objects=by_hand + tuple(added))
