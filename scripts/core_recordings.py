"""Writes the incidents of labelled recordings, for training and testing the reasoning core.

    python -m scripts.core_recordings FOLDER OUT.recorded

Each recording runs through all that ``vigil analyze`` runs; every revision of every incident is
kept, with whether the labels say that it really happened.
"""

import argparse
import json
import tempfile
from pathlib import Path

from tqdm import tqdm

from api.analysis import Analyser
from api.commands.analyze import open_evidence
from api.evaluation import TOLERANCE_S, LabelledClip, read_ground_truth
from api.wiring.cameras import rules_beside
from contracts.clock import SystemClock
from contracts.incidents import Incident
from contracts.reasoning import Finding
from contracts.rules import SceneRules
from contracts.settings import Settings
from moe_core.program import ProgramReasoner
from moe_core.training.recordings import Recorded, write_recorded
from vision.detect.registry import open_detector
from vision.training.sources import group_of

TRAINABLE = ("fight/", "intel/")
"""Recordings that weights may be trained on by their licence; ``fall/`` might be too, but all of it
is one room, which is kept for tests."""


class Listener:
    """Reasons as the program does and keeps what it was told."""

    name = "program"

    def __init__(self) -> None:
        self.incidents: list[Incident] = []
        self._program = ProgramReasoner(SystemClock())

    def reason(self, incident: Incident) -> Finding:
        """Keep the incident."""
        self.incidents.append(incident)
        return self._program.reason(incident)


def is_real(incident: Incident, clip: LabelledClip, *, start_s: float, end_s: float) -> bool:
    """Say whether something of the incident's kind is labelled at its time."""
    return any(
        event.kind == incident.kind.value
        and start_s <= event.end_s + TOLERANCE_S
        and end_s >= event.start_s - TOLERANCE_S
        for event in clip.events
    )


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="labelled clips, with ground_truth_video.json")
    parser.add_argument("out", type=Path, help="the file to write")
    arguments = parser.parse_args()
    settings, clock = Settings(), SystemClock()
    document = json.loads((arguments.folder / "ground_truth_video.json").read_text("utf-8"))
    found: list[Recorded] = []
    listener = Listener()
    with tempfile.TemporaryDirectory(prefix="vigil-") as folder:
        analyser = Analyser(
            settings,
            detector=open_detector(settings),
            evidence=open_evidence(settings, Path(folder)),
            clock=clock,
            reasoner=listener,
        )
        notes = {str(one["video"]): str(one.get("note") or "") for one in document["videos"]}
        for clip in tqdm(read_ground_truth(document), unit="clip"):
            video = arguments.folder / clip.video
            listener.incidents.clear()
            scene = rules_beside(video) or SceneRules()
            analyser.analyse(video, scene, analysis_fps=5.0, progress=lambda _done, _of: None)
            source = group_of(clip.video, notes[clip.video])
            found += [_recorded(incident, clip, source) for incident in listener.incidents]
    count = write_recorded(arguments.out, found)
    real = sum(one.is_real for one in found)
    print(f"{count} revisions, {real} of what really happened, in {arguments.out}")  # noqa: T201  # the command's output
    return 0


def _recorded(incident: Incident, clip: LabelledClip, source: str) -> Recorded:
    start_s, end_s = incident.started_s, incident.updated_s
    return Recorded(
        incident=incident,
        is_real=is_real(incident, clip, start_s=start_s, end_s=end_s),
        video=clip.video,
        source=source,
        may_train=clip.video.startswith(TRAINABLE),
    )


if __name__ == "__main__":
    raise SystemExit(main())
