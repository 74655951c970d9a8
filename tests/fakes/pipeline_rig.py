"""A vision pipeline in a test's hands: a scripted detector, the real tracker, memory ports."""

from collections.abc import Callable, Iterable, Sequence

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.frames import EncodedFrame
from contracts.incidents import Incident, IncidentState
from contracts.rules import SceneRules
from contracts.settings import VisionSettings
from tests.fakes.builders import scene
from tests.fakes.clock import ManualClock
from tests.fakes.footage import encoded
from tests.fakes.ports import InMemoryEvidence
from tests.fakes.scripted_detector import Script, ScriptedDetector, walk
from vision.frame_result import FrameResult
from vision.pipeline import CameraPipeline

INTO_DOCK = walk((0.1, 0.6), (0.9, 0.6), from_s=0.0, to_s=8.0)
"""Crosses x = 0.5, the edge of the dock, at 4 s."""
STANDS_IN_DOCK = walk((0.7, 0.6), (0.7001, 0.6), from_s=0.0, to_s=60.0)
NOBODY: Script = lambda _: ()  # noqa: E731  # the empty script


def camera(scene_rules: SceneRules | None = None, *, version: int = 1) -> Camera:
    return Camera(
        camera_id="cam",
        name="Loading yard",
        place="north",
        source=SourceSettings(source_type=SourceType.SYNTHETIC, url="yard"),
        scene=scene() if scene_rules is None else scene_rules,
        version=version,
    )


class Rig:
    """A pipeline with what it was made of, and all that came out."""

    def __init__(
        self,
        script: Script,
        *,
        watched: Camera | None = None,
        failing_seqs: Sequence[int] = (),
        checkpoint: bytes | None = None,
        confidence: float = 0.9,
    ) -> None:
        self.detector = ScriptedDetector(script, failing_seqs=failing_seqs, confidence=confidence)
        self.evidence = InMemoryEvidence()
        self.clock = ManualClock()
        self.pipeline = CameraPipeline(
            camera() if watched is None else watched,
            self.detector,
            settings=VisionSettings(),
            evidence=self.evidence,
            clock=self.clock,
        )
        self.pipeline.restore(checkpoint)
        self.results: list[FrameResult] = []

    def play(self, frames: Iterable[EncodedFrame]) -> list[Incident]:
        """Process the frames; the incident revisions that they led to."""
        before = len(self.results)
        for frame in frames:
            self.results.append(self.pipeline.process(frame))
        return [one for result in self.results[before:] for one in result.incidents]


def seconds(
    start: float, end: float, make: Callable[..., EncodedFrame] = encoded, **changes: object
) -> list[EncodedFrame]:
    """Frames at 5 fps from ``start`` up to and including ``end``."""
    return [make(seq, **changes) for seq in range(round(start * 5), round(end * 5) + 1)]


def states(incidents: Sequence[Incident]) -> list[IncidentState]:
    return [incident.state for incident in incidents]
