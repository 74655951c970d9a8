"""Falls and daily life on real recordings, through all that ``vigil analyze`` runs."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.analysis import Analyser
from api.evaluation import LabelledClip, RaisedAlert, read_ground_truth, score
from contracts.clock import SystemClock
from contracts.rules import RuleKind, SceneRules
from contracts.settings import Settings
from tests.fakes.ports import InMemoryEvidence
from vision.detect.registry import open_detector

DATA = Path(__file__).parents[3] / "shared" / "data"
LEAST_F1 = 0.9
LATEST_S = 3.0
"""From the loss of balance to the alert: coming down takes one second, being down another."""

pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared clips are not here"),
]


@dataclass(frozen=True)
class Seen:
    """The clips of falls and daily life, and the alerts about falls in each."""

    clips: tuple[LabelledClip, ...]
    alerts: dict[str, list[RaisedAlert]]


@pytest.fixture(scope="module")
def seen() -> Seen:
    document = json.loads((DATA / "ground_truth_video.json").read_text(encoding="utf-8"))
    clips = [clip for clip in read_ground_truth(document) if clip.video.startswith("fall/")]
    settings, clock = Settings(), SystemClock()
    analyser = Analyser(
        settings, detector=open_detector(settings), evidence=InMemoryEvidence(), clock=clock
    )
    alerts = {
        clip.video: [
            RaisedAlert(**{name: record[name] for name in ("kind", "start_s", "end_s", "fired_s")})
            for record in analyser.analyse(
                DATA / clip.video, SceneRules(), analysis_fps=5.0, progress=lambda _at, _of: None
            ).records
            if record["kind"] == RuleKind.FALL.value
        ]
        for clip in clips
    }
    return Seen(clips=tuple(clips), alerts=alerts)


def test_falls_are_found_by_a_camera_that_nobody_configured(seen: Seen) -> None:
    [found] = score(seen.clips, seen.alerts)

    assert found.kind == RuleKind.FALL.value
    assert found.f1 is not None
    assert found.f1 >= LEAST_F1
    assert max(found.delays_s) <= LATEST_S


def test_daily_life_raises_no_alert_about_falls(seen: Seen) -> None:
    quiet = [clip.video for clip in seen.clips if not clip.events]

    assert len(quiet) == 6
    assert [seen.alerts[video] for video in quiet] == [[]] * 6
