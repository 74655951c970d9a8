"""How far the core's claims are to be trusted: fitted after training, stored beside the weights.

The network says what it believes. The trust judges that belief by what was measured of the
evidence (``trust_rows``), and returns for each claim the chance that it is true, on cameras that
neither was fitted on. What stands or falls with the event is judged together with the program's
word, on simulated cameras and on recordings alike.

Shape legend: C = proposals, F = columns, N = names.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from contracts.errors import ModelError
from moe_core.decoding import Floors, sigmoid
from moe_core.hypotheses import ALARMING
from moe_core.tokens.prompt import Prompt
from moe_core.tokens.vocabulary import FAMILIES, PREDICATE_IDS, PREDICATE_NAMES
from moe_core.trees import Trees, trees_of
from moe_core.trust_rows import COLUMNS, SURE, Believed, is_deciding, partners, rows_of

Floats = npt.NDArray[np.float64]

FORMAT: Final = 1
LARGEST_FILE: Final = 16 * 2**20
"""Bytes; a larger file is none of ours."""
STACKED: Final = ("trees", "real", "program", "near", "late")
"""What an event's trust is weighed from: log-odds of the trees, the core and the program; how much
of the picture those who were followed cover; how long after the beginning the rule spoke."""
_REMEDY: Final = "fit it anew with `python -m moe_core.training trust`, or take the file away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is thought of an incident once trust has judged it.

    Attributes:
        chances_C: That each proposal is true, 0..1.
        chance: That what the incident is about really happened, 0..1; None where nothing is
            claimed of it.
    """

    chances_C: Floats
    chance: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trust:
    """What was fitted.

    Attributes:
        claims: Trees over the rows of claims that do not decide.
        event: Trees over the rows of those that do, from simulated cameras.
        by_predicate, by_kind: Of each name, what such claims and alerts are worth on the whole.
        stack: Weights of ``STACKED``, and ``shift``; of the event's log-odds.
        finding: ``scale`` and ``shift`` from the likeliest event's log-odds to the finding's.
        floors: From what chance on a claim is told.
        sha256: Of the file it was read from; empty if from none.
    """

    claims: Trees
    event: Trees
    by_predicate: Floats
    by_kind: Floats
    stack: Mapping[str, float]
    finding: Mapping[str, float]
    floors: Floors
    sha256: str = ""

    def judge(self, prompt: Prompt, believed: Believed) -> Judged:
        """Return what is to be thought of an incident that was read."""
        if not len(prompt.proposals):
            return Judged(chances_C=np.zeros(0), chance=None)
        rows_CF = rows_of(
            prompt, believed, by_predicate=self.by_predicate, by_kind=self.by_kind
        ).astype(np.float32)
        is_deciding_C = is_deciding(prompt)
        odds_C = self.claims(rows_CF)
        chance = None
        if is_deciding_C.any():
            pair_C = partners(prompt)
            trees_C = np.zeros(len(odds_C))
            trees_C[is_deciding_C] = self.event(rows_CF[is_deciding_C])
            trees_C = (trees_C + trees_C[pair_C]) / 2
            event_C = weighed(stacked(rows_CF, trees_C), self.stack)
            odds_C = np.where(is_deciding_C, event_C, odds_C)
            best = odds_C[_of_the_event(prompt, is_deciding_C)].max()
            chance = float(sigmoid(self.finding["scale"] * best + self.finding["shift"]))
        return Judged(chances_C=sigmoid(odds_C), chance=chance)


def _of_the_event(prompt: Prompt, is_deciding_C: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the proposals that what the incident is mainly about really happened, (C)."""
    own = PREDICATE_IDS[ALARMING[FAMILIES[prompt.family]]]
    is_own_C = prompt.proposals.predicates_C == own
    return np.asarray(is_own_C if is_own_C.any() else is_deciding_C, np.bool_)


def stacked(rows_CF: npt.NDArray[Any], trees_C: Floats) -> Floats:
    """Return the numbers that an event's trust is weighed from, in the order of ``STACKED``."""
    column = {name: rows_CF[:, place].astype(np.float64) for place, name in enumerate(COLUMNS)}
    return np.stack(
        [
            trees_C,
            column["real"],
            column["program"],
            np.log10(0.003 + column["cover"]) + 1.5,
            np.minimum(column["since_first"], 300.0) / 100,
        ],
        axis=1,
    )


def weighed(numbers_CN: Floats, stack: Mapping[str, float]) -> Floats:
    """Return the event's log-odds, (C)."""
    by_N = np.array([stack[name] for name in STACKED])
    return np.asarray(np.clip(numbers_CN @ by_N + stack["shift"], -SURE, SURE), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What stands beside the numbers."""

    format: int
    weights: str
    """SHA-256 of the weights that it was fitted for."""
    columns: tuple[str, ...]
    stack: dict[str, float]
    finding: dict[str, float]
    floors: Floors


def write_trust(path: Path, trust: Trust, *, weights: str) -> None:
    """Write the trust; a reader sees the old file or the new one.

    Args:
        path: Beside its weights.
        trust: What was fitted.
        weights: SHA-256 of the weights that it was fitted for.
    """
    header = _Header(
        format=FORMAT,
        weights=weights,
        columns=COLUMNS,
        stack=dict(trust.stack),
        finding=dict(trust.finding),
        floors=trust.floors,
    )
    arrays = {
        **trust.claims.arrays("claims"),
        **trust.event.arrays("event"),
        "by_predicate": trust.by_predicate,
        "by_kind": trust.by_kind,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    save_file(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        part,
        {"trust": msgspec.json.encode(asdict(header)).decode()},
    )
    part.replace(path)


def read_trust(path: Path, *, weights: str) -> Trust:
    """Read the trust of weights.

    Raises:
        ModelError: There is no such file, it is damaged, of another format, other columns or other
            weights.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ModelError(f"{path}: {path.stat().st_size} bytes are too many; {_REMEDY}")
        content = path.read_bytes()
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get("trust", "")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        header = msgspec.json.decode(text, type=_Header)
        trust = Trust(
            claims=trees_of(arrays, "claims"),
            event=trees_of(arrays, "event"),
            by_predicate=_table(arrays, "by_predicate", len(PREDICATE_NAMES)),
            by_kind=_table(arrays, "by_kind", len(FAMILIES)),
            stack=header.stack,
            finding=header.finding,
            floors=header.floors,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        _check(header, trust)
    except (OSError, SafetensorError, msgspec.MsgspecError, KeyError, ValueError) as error:
        raise ModelError(f"{path}: not readable as trust: {error}; {_REMEDY}") from error
    if header.weights != weights:
        raise ModelError(f"{path}: fitted for other weights than those beside it; {_REMEDY}")
    return trust


def _check(header: _Header, trust: Trust) -> None:
    if header.format != FORMAT:
        raise ValueError(f"format {header.format}, this program reads {FORMAT}")
    if header.columns != COLUMNS:
        raise ValueError("it was fitted over other columns than this program has")
    _check_names("stack", header.stack, wanted={*STACKED, "shift"})
    _check_names("finding", header.finding, wanted={"scale", "shift"})
    for name, trees in (("claims", trust.claims), ("event", trust.event)):
        if trees.features_TN.size and trees.features_TN.max() >= len(COLUMNS):
            raise ValueError(
                f"a tree of {name} asks for column {trees.features_TN.max()} of {len(COLUMNS)}"
            )


def _check_names(table: str, found: Mapping[str, float], *, wanted: set[str]) -> None:
    if set(found) != wanted:
        raise ValueError(
            f"{table} has weights {', '.join(sorted(found)) or 'of nothing'}, "
            f"wanted are {', '.join(sorted(wanted))}"
        )


def _table(arrays: Mapping[str, npt.NDArray[Any]], name: str, count: int) -> Floats:
    array = arrays[name]
    if array.shape != (count,):
        raise ValueError(f"{name} wants {count} numbers, found is the shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has what is no number")
    return np.asarray(array, np.float64)
