"""Which cameras are trained on, which are fitted on, which are for tests: never the same ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from moe_core.training.examples import Example, labelled
from moe_core.training.kept import simulated_examples
from moe_core.training.recordings import Recorded, read_recorded

SITES: Final = 10
"""Simulated cameras go by their number's last digit: 0 to 6 train, 7 fits, 8 and 9 test."""
FITTED: Final = 7
PARTS: Final = ("train", "fit", "test")
REAL_SITE: Final = -1


@dataclass(slots=True, kw_only=True)
class Parts:
    """Examples by what they are for."""

    train: list[Example] = field(default_factory=list)
    fit: list[Example] = field(default_factory=list)
    test: list[Example] = field(default_factory=list)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Rule kinds that there is something to learn of."""
        return tuple(sorted({one.kind for one in self.train}))


def simulated(folder: Path, *, wants: Iterable[str] = PARTS) -> Parts:
    """Return the examples of a corpus of simulated scenes.

    Args:
        folder: Written by ``python -m scripts.core_corpus``.
        wants: Parts that are needed; the others stay empty.

    Raises:
        ConfigError: A shard is damaged.
    """
    parts, wanted = Parts(), set(wants)
    for one in simulated_examples(folder):
        name = part_of(one.site)
        if name in wanted:
            {"train": parts.train, "fit": parts.fit, "test": parts.test}[name].append(one)
    return parts


def recorded(path: Path) -> Parts:
    """Return the examples of recordings, by what their sources are for (``Recorded.part``)."""
    parts = Parts()
    by_name = {"train": parts.train, "fit": parts.fit, "test": parts.test}
    for one, example in _labelled(read_recorded(path)):
        by_name[one.part].append(example)
    return parts


def part_of(site: int) -> str:
    """Return what a simulated camera is for."""
    digit = site % SITES
    return "train" if digit < FITTED else "fit" if digit == FITTED else "test"


def _labelled(found: Iterable[Recorded]) -> Iterator[tuple[Recorded, Example]]:
    for one in found:
        example = labelled(one.incident, is_real=one.is_real, site=REAL_SITE, family=one.source)
        if len(example.prompt.proposals):
            yield one, example
