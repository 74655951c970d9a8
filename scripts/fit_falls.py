"""Fit the model of falls on labelled clips, and say how well it does on those that it has not seen.

    python -m scripts.fit_falls FOLDER --write --report docs/results/falls.md

Looks through every clip of the folders ``FITTED_ON`` with the detector of the settings, follows
bodies as the product does, and fits ``vision/weights/fall.json`` on what was seen (``--write``).
For the report each clip is judged by a model that was fitted without it, and once more by one
fitted without any clip of the same person.
"""

import argparse
import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from api.analysis import CAMERA_ID
from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.detections import Detections, Detector
from contracts.frames import Frame
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from contracts.settings import Settings
from ingest.recording import read_recording
from vision.cues.bodies import BodyCue
from vision.cues.body import Body
from vision.cues.port import Cues, Glimpse
from vision.detect.registry import open_detector
from vision.drawing import decode_jpeg
from vision.fall_model import SHIPPED, TERMS, FallModels, read_models, write_models
from vision.motion_gate import Motion, gate_frame
from vision.observation import Observation
from vision.rules.fall import FallRule
from vision.training.falls import Example, examples_of, fit_models

FITTED_ON: Final = ("fall", "intel", "fight")
"""Folders whose rights allow shipping what was fitted on them; of ``fight``, whose pictures come
from a public video site, only the clips without a fight: who fights may well be on the ground."""
GROUND_TRUTH: Final = "ground_truth_video.json"
TOLERANCE_S: Final = 2.0
"""As ``vigil evaluate`` has it."""
FPS: Final = 5.0
_ANCHOR: Final = datetime(2000, 1, 1, tzinfo=UTC)
_STILL: Final = Motion(share=0.0, light_change=0.0, is_moving=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A labelled clip, and what the detector says of its frames.

    Attributes:
        video: Its path below the data folder.
        fell_s: Labelled falls: begin and end.
        frames: Each frame at a part of its size, with all that was found in it.
    """

    video: str
    fell_s: tuple[tuple[float, float], ...]
    frames: list[tuple[Frame, Detections]] = field(default_factory=list)

    @property
    def group(self) -> str:
        """Who is seen in it: what its name begins with."""
        return Path(self.video).name.split("_")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rule said about a clip."""

    clip: Clip
    events: tuple[RuleEvent, ...]

    @property
    def right(self) -> list[RuleEvent]:
        """The first event about each labelled fall."""
        return [
            next(event for event in self.events if _answers(event, fall))
            for fall in self.clip.fell_s
            if any(_answers(event, fall) for event in self.events)
        ]

    @property
    def missed(self) -> int:
        """Labelled falls that no event is about."""
        return len(self.clip.fell_s) - len(self.right)

    @property
    def false(self) -> int:
        """Events about no fall, and second ones about the same."""
        return len(self.events) - len(self.right)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, judge, and write what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.fit_falls",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, help=f"folder with {GROUND_TRUTH}")
    parser.add_argument("--write", action="store_true", help=f"write {SHIPPED.name}")
    parser.add_argument("--report", type=Path, help="put the tables into this document")
    chosen = parser.parse_args(arguments)
    detector = open_detector(Settings())
    clips = [_looked_through(clip, chosen.data, detector) for clip in _clips(chosen.data)]
    examples = {clip.video: _examples(clip) for clip in clips}
    models = fit_models(_but(examples, ()))
    if chosen.write:
        falls = sum(example.is_fall for found in examples.values() for example in found)
        write_models(
            SHIPPED,
            models,
            note={
                "fitted_by": "python -m scripts.fit_falls",
                "on": [f"{folder}/" for folder in FITTED_ON],
                "examples": sum(map(len, examples.values())),
                "of_falls": falls,
                "detector": f"{detector.identity.name} {detector.identity.sha256[:12]}",
            },
        )
        models = read_models(SHIPPED)
    tables = _tables(clips, examples, models)
    sys.stdout.write(tables + "\n")
    if chosen.report:
        _put(chosen.report, tables)
    return 0


def _clips(data: Path) -> list[Clip]:
    document = json.loads((data / GROUND_TRUTH).read_text(encoding="utf-8"))
    return [
        Clip(
            video=record["video"],
            fell_s=tuple(
                (event["start_s"], event["end_s"])
                for event in record["events"]
                if event["type"] == RuleKind.FALL.value
            ),
        )
        for record in document["videos"]
        if record["video"].split("/")[0] in FITTED_ON
        and all(event["type"] != RuleKind.FIGHT.value for event in record["events"])
    ]


def _looked_through(clip: Clip, data: Path, detector: Detector) -> Clip:
    """Return the clip with what the detector finds in its frames."""
    camera = Camera(
        camera_id=CAMERA_ID,
        name="clip",
        source=SourceSettings(
            source_type=SourceType.FILE, url=str(data / clip.video), is_paced=False
        ),
        analysis_fps=FPS,
    )
    with read_recording(camera, Settings().ingest, starts_at=_ANCHOR) as recording:
        for encoded in recording:
            small, pixels_HW3 = gate_frame(encoded), decode_jpeg(encoded.jpeg)
            if small is None or pixels_HW3 is None:
                continue
            [found] = detector.detect([Frame(header=encoded.header, pixels_HW3=pixels_HW3)])
            clip.frames.append((small, found))
    detector.forget(CAMERA_ID)
    sys.stderr.write(f"{clip.video}: {len(clip.frames)} frames\n")
    return clip


def _followed(clip: Clip, models: FallModels | None) -> Iterator[tuple[Frame, tuple[Body, ...]]]:
    cue = BodyCue(models)
    for small, found in clip.frames:
        yield (
            small,
            cue.look(
                Glimpse(small=small, picture=small, motion=_STILL, detections=found, tracks=())
            ),
        )


def _examples(clip: Clip) -> list[Example]:
    return [
        example
        for _, bodies in _followed(clip, None)
        for example in examples_of(bodies, clip=clip.video, group=clip.group, fell_s=clip.fell_s)
    ]


def _but(examples: Mapping[str, Sequence[Example]], held_out: Collection[str]) -> list[Example]:
    return [
        example for video, found in examples.items() if video not in held_out for example in found
    ]


def _judged(clip: Clip, models: FallModels) -> Verdict:
    rule = FallRule(RuleSettings(rule_id="fall", kind=RuleKind.FALL), zone=None)
    events = [
        event
        for small, bodies in _followed(clip, models)
        for event in rule.update(
            Observation(header=small.header, tracks=(), cues=Cues(bodies=bodies))
        )
    ]
    return Verdict(clip=clip, events=tuple(events))


def _answers(event: RuleEvent, fall: tuple[float, float]) -> bool:
    start, end = fall
    return event.since_s <= end + TOLERANCE_S and event.monotonic_s >= start - TOLERANCE_S


def _tables(
    clips: Sequence[Clip], examples: Mapping[str, Sequence[Example]], models: FallModels
) -> str:
    """Return the report: each clip judged without itself, the sums, and the weights."""
    fall_clips = [clip for clip in clips if clip.video.startswith("fall/")]
    without_clip = [_judged(clip, fit_models(_but(examples, {clip.video}))) for clip in fall_clips]
    without_person = [
        _judged(clip, fit_models(_but(examples, {o.video for o in clips if o.group == clip.group})))
        for clip in fall_clips
    ]
    without_posture = [
        _judged(replace(clip, frames=[_mute(pair) for pair in clip.frames]), models)
        for clip in fall_clips
    ]
    only_upright = [
        _judged(replace(clip, frames=[_upright_only(pair) for pair in clip.frames]), models)
        for clip in fall_clips
    ]
    shipped = [_judged(clip, models) for clip in clips]
    rows = [_clip_row(verdict) for verdict in without_clip]
    sums = [
        ("fitted without the clip", without_clip),
        ("fitted without the person", without_person),
        ("the shipped weights, all clips fitted on", shipped),
        ("the shipped weights, detector without postures", without_posture),
        ("the shipped weights, detector that knows only people upright", only_upright),
    ]
    return "\n".join(
        [
            "| clip | labelled | stood until | alert | after the label | likelihood |",
            "|---|---|--:|--:|--:|--:|",
            *rows,
            "",
            "| | falls | found | false | F1 |",
            "|---|--:|--:|--:|--:|",
            *(_sum_row(title, verdicts) for title, verdicts in sums),
            "",
            "| term | weight | sigma | weight without postures |",
            "|---|--:|--:|--:|",
            *_weight_rows(models),
        ]
    )


def _clip_row(verdict: Verdict) -> str:
    clip = verdict.clip
    labelled = ", ".join(f"{start:g} to {end:g} s" for start, end in clip.fell_s) or "none"
    if not verdict.events:
        return f"| {Path(clip.video).stem} | {labelled} | | none | | |"
    event = verdict.events[0]
    late = f"{event.monotonic_s - clip.fell_s[0][0]:.1f} s" if clip.fell_s else "false"
    return (
        f"| {Path(clip.video).stem} | {labelled} | {event.since_s:.1f} s | "
        f"{event.monotonic_s:.1f} s | {late} | {event.value:.2f} ± {event.sigma:.2f} |"
    )


def _sum_row(title: str, verdicts: Sequence[Verdict]) -> str:
    right = sum(len(verdict.right) for verdict in verdicts)
    false = sum(verdict.false for verdict in verdicts)
    missed = sum(verdict.missed for verdict in verdicts)
    f1 = 2 * right / max(1, 2 * right + false + missed)
    return f"| {title} | {right + missed} | {right} | {false} | {f1:.2f} |"


def _weight_rows(models: FallModels) -> list[str]:
    first, second = models.with_posture, models.without
    return [
        f"| {term} | {first.weights_T[index]:.2f} | {first.covariance_TT[index, index] ** 0.5:.2f} "
        f"| {f'{second.weights_T[index]:.2f}' if index < len(second.weights_T) else ''} |"
        for index, term in enumerate(TERMS)
    ]


def _mute(pair: tuple[Frame, Detections]) -> tuple[Frame, Detections]:
    """Return a frame as a detector that knows no postures sees it."""
    small, found = pair
    guesses = found if found.guesses is None else found.guesses
    return small, replace(found, guesses=replace(guesses, postures_NP=None, posture_labels=()))


def _upright_only(pair: tuple[Frame, Detections]) -> tuple[Frame, Detections]:
    """Return a frame as a detector sees it that is sure of people upright and blind to others."""
    small, found = pair
    guesses = found if found.guesses is None else found.guesses
    sides_N2 = guesses.boxes_N4[:, 2:] - guesses.boxes_N4[:, :2]
    flatness_N = sides_N2[:, 0] * small.header.width / (sides_N2[:, 1] * small.header.height)
    kept_N = (guesses.confidences_N >= 0.5) & (flatness_N < 0.9)
    if guesses.postures_NP is not None:
        kept_N &= guesses.postures_NP[:, guesses.posture_labels.index("lying")] < 0.4
    kept = Detections(
        boxes_N4=guesses.boxes_N4[kept_N],
        confidences_N=guesses.confidences_N[kept_N],
        class_ids_N=guesses.class_ids_N[kept_N],
        labels=guesses.labels,
    )
    return small, replace(found, guesses=kept)


BEGIN: Final = "<!-- tables: written by scripts/fit_falls.py -->"
END: Final = "<!-- end of tables -->"


def _put(report: Path, tables: str) -> None:
    text = report.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    report.write_text(f"{head}{BEGIN}\n\n{tables}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
