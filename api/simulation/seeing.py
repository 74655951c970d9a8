"""A simulated scene as vision would have seen it: detections, tracks, rules, incidents.

The detector is drawn from the fitted noise model about the site's own strengths; everything after
it is vision itself. No picture is ever made: key frames are one tiny picture.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from api.simulation.cue_readings import SimulatedCues
from api.simulation.detecting import NOBODY, SimulatedDetector
from api.simulation.glance import Glance
from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.detections import Detections, ModelIdentity
from contracts.frames import FrameHeader
from contracts.geometry import Box, iou
from contracts.incidents import Incident, IncidentState, RuleEvent
from contracts.settings import VisionSettings
from contracts.tracks import Track
from moe_core.training.world.judging import is_true
from moe_core.training.world.scene import Scene
from moe_core.training.world.script import TrueEvent
from moe_core.training.world.truth import Past, Truth, truth_of
from vision.drawing import encode_jpeg
from vision.facts import PictureMotion
from vision.incidents import IncidentBook, Revision
from vision.keyframes import KeyFrames, Moment
from vision.observation import Observation
from vision.picture import Picture
from vision.reports import IncidentReporter, Sight
from vision.rules.defaults import with_defaults
from vision.tracker import Tracker
from vision.watch import Watch, Watched

Ints = npt.NDArray[np.int64]

WIDTH: Final = 640
MOTIONS: Final = 300
_SAME_BOX: Final = 0.8
_TINY: Final = encode_jpeg(np.full((36, 64, 3), 127, np.uint8))
_MODEL: Final = ModelIdentity(name="simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came of one scene.

    Attributes:
        samples: Each revision of each incident, with what is true of it.
        expected, missed: Events that rules should have told, and those of which no incident came.
        frames: That were seen.
    """

    samples: tuple[tuple[Incident, Truth], ...]
    expected: int
    missed: int
    frames: int


class SimulatedClock:
    """Time as the scene's frames have it."""

    def __init__(self, began_at: datetime) -> None:
        self.at = began_at
        self.at_s = 0.0

    def now(self) -> datetime:
        """See ``Clock.now``."""
        return self.at

    def monotonic_s(self) -> float:
        """See ``Clock.monotonic_s``."""
        return self.at_s

    def sleep(self, seconds: float) -> None:
        """See ``Clock.sleep``."""
        self.at_s += seconds


class NamesOnly:
    """An evidence store that keeps nothing but says where it would be."""

    def put(self, content: bytes, *, suffix: str) -> str:
        """See ``EvidenceStore.put``."""
        return f"sha256-{hashlib.sha256(content).hexdigest()}.{suffix}"

    def get(self, ref: str) -> bytes:
        """See ``EvidenceStore.get``."""
        del ref
        return _TINY


@dataclass(slots=True, kw_only=True)
class _Followed:
    """Whom each track's detections were really of, frame by frame."""

    sources: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))

    def note(self, track_id: str, at_s: float, object_id: str) -> None:
        self.sources[track_id].append((at_s, object_id))

    def owner(self, track_id: str, *, since_s: float = -math.inf, until_s: float) -> str:
        """Return whom most of the detections between two times were of."""
        votes = Counter(
            name for at_s, name in self.sources.get(track_id, ()) if since_s <= at_s <= until_s
        )
        return votes.most_common(1)[0][0] if votes else NOBODY


class Eyes:
    """One simulated camera's vision, for one scene."""

    def __init__(self, scene: Scene, *, is_perfect: bool = False) -> None:
        """Wire vision for a scene.

        Args:
            scene: What there is to be seen.
            is_perfect: The detector misses nothing and is never wrong; for tests.
        """
        settings = VisionSettings()
        site = scene.site
        self._scene = scene
        self._rules = with_defaults(scene.rules)
        self._camera = Camera(
            camera_id=site.camera_id,
            source=SourceSettings(source_type=SourceType.SYNTHETIC, url="simulated"),
            name=f"Camera {site.number}",
            place=site.place,
            scene=self._rules,
        )
        self._clock = SimulatedClock(scene.began_at)
        self._detector = SimulatedDetector(scene, is_perfect=is_perfect)
        self._cues = SimulatedCues(scene, np.random.default_rng([scene.seed, site.number, 4]))
        self._tracker = Tracker(confidence=settings.confidence)
        self._watch = Watch(self._rules)
        self._book = IncidentBook(settings.close_after_s)
        self._reporter = IncidentReporter(
            _MODEL, settings=settings, evidence=NamesOnly(), clock=self._clock, time_zone=UTC
        )
        self._key_frames = KeyFrames()
        self._motions: list[PictureMotion] = []
        self._followed = _Followed()
        self._incidents: list[Incident] = []

    def see(self) -> Judged:
        """Look at the whole scene; return all incidents with what is true of them."""
        for index in range(len(self._scene.times_T)):
            self._look(index)
        last = self._header(len(self._scene.times_T) - 1)
        self._report(self._book.close_all(), last)
        past = Past(scene=self._scene)
        judged: dict[str, bool] = {}
        samples = []
        for incident in self._incidents:
            for event in incident.rule_events:
                if event.event_id not in judged:
                    judged[event.event_id] = self._is_true(past, event)
            owners = {track.track_id: self._owner_in(incident, track) for track in incident.tracks}
            real = frozenset(
                event.event_id for event in incident.rule_events if judged[event.event_id]
            )
            truth = truth_of(self._scene, incident, owners=owners, real_events=real)
            samples.append((incident, truth))
        return Judged(
            samples=tuple(samples),
            expected=len(self._scene.events),
            missed=sum(not self._was_told(event, samples) for event in self._scene.events),
            frames=len(self._scene.times_T),
        )

    def _was_told(self, event: TrueEvent, samples: Sequence[tuple[Incident, Truth]]) -> bool:
        return any(
            told.kind is event.kind
            and told.event_id in truth.real_events
            and event.object_id in truth.owners.values()
            for incident, truth in samples
            for told in incident.rule_events
        )

    def _is_true(self, past: Past, event: RuleEvent) -> bool:
        since_s, until_s = event.since_s - 1.0, event.monotonic_s + 0.5
        owner, *others = (
            self._owner(track_id, since_s=since_s, until_s=until_s)
            for track_id in (event.track_id, *event.other_track_ids)
        )
        return is_true(past, event, owner=owner, others=tuple(others))

    def _owner_in(self, incident: Incident, track: Track) -> str:
        """Return whom a track followed when rules spoke of it; over all its time, if none did."""
        spoken = [
            event
            for event in incident.rule_events
            if track.track_id in (event.track_id, *event.other_track_ids)
        ]
        if not spoken:
            return self._owner(track.track_id, until_s=track.last.monotonic_s)
        return self._owner(
            track.track_id,
            since_s=min(event.since_s for event in spoken) - 1.0,
            until_s=max(event.monotonic_s for event in spoken) + 0.5,
        )

    def _owner(self, track_id: str, *, since_s: float = -math.inf, until_s: float) -> str:
        region = self._cues.owners.get(track_id)
        if region is not None:
            return region
        return self._followed.owner(
            track_id, since_s=since_s, until_s=until_s
        ) or self._followed.owner(track_id, until_s=until_s)

    def _header(self, index: int) -> FrameHeader:
        at_s = float(self._scene.times_T[index])
        return FrameHeader(
            camera_id=self._camera.camera_id,
            run_id=self._scene.run_id,
            seq=int(self._scene.seqs_T[index]),
            captured_at=self._scene.at(at_s),
            monotonic_s=at_s,
            width=WIDTH,
            height=round(WIDTH / self._scene.site.view.aspect),
        )

    def _look(self, index: int) -> None:
        header = self._header(index)
        self._clock.at, self._clock.at_s = header.captured_at, header.monotonic_s
        self._report(self._book.close_stale(header.captured_at), header)
        self._motions.append(
            PictureMotion(
                at_s=header.monotonic_s,
                share=float(self._scene.moving_T[index]),
                light_change=float(self._scene.light_T[index]),
            )
        )
        found = self._detector.detect(index)
        tracks = self._tracker.update(found.detections, header)
        self._note(tracks, found.detections, found.sources, header)
        glance = Glance(
            scene=self._scene,
            index=index,
            header=header,
            tracks=tracks,
            detections=found.detections,
            sources=found.sources,
            guesses=found.guesses,
        )
        cues = self._cues.look(glance)
        for name, source in self._cues.bodies.items():
            self._followed.note(name, header.monotonic_s, source)
        seen = Observation(header=header, tracks=tracks, cues=cues)
        picture = Picture(header, jpeg=_TINY)
        self._key_frames.look(picture, tracks=seen.subjects())
        watched = self._watch.look(seen)
        self._keep_frames(watched, view=cues.view.region)
        self._read(watched, seen)

    def _note(
        self,
        tracks: Sequence[Track],
        detections: Detections,
        sources: Sequence[str],
        header: FrameHeader,
    ) -> None:
        """Remember of whom each track's detection is."""
        boxes: list[Box] = [(a, b, c, d) for a, b, c, d in detections.boxes_N4.tolist()]
        for track in tracks:
            last = track.last
            if not last.is_observed or last.seq != header.seq or not boxes:
                continue
            ious = [iou(last.box, box) for box in boxes]
            best = max(range(len(ious)), key=ious.__getitem__)
            if ious[best] > 0:
                self._followed.note(track.track_id, header.monotonic_s, sources[best])

    def _keep_frames(self, watched: Watched, *, view: Track | None) -> None:
        for track_id in watched.arrived:
            self._key_frames.mark(track_id, Moment.ENTRY)
        if view is not None and view.track_id in watched.arrived:
            self._key_frames.mark_approach(view.track_id)
        for event in watched.events:
            for track_id in (event.track_id, *event.other_track_ids):
                self._key_frames.mark(track_id, Moment.DECISIVE)
            if event.line_id:
                self._key_frames.mark_approach(event.track_id)

    def _read(self, watched: Watched, seen: Observation) -> None:
        turn = self._book.read(
            watched.events, tracks=seen.subjects(), present=watched.present, header=seen.header
        )
        for joined in turn.joined:
            sight = Sight(
                header=seen.header,
                tracks=seen.tracks,
                regions=tuple(seen.cues.regions()),
                motions=tuple(self._motions[-MOTIONS:]),
                key_frames=self._key_frames,
            )
            incident = self._book.incident(joined.incident_id)
            self._book.keep(
                self._reporter.measure(incident, joined, sight=sight, scene=self._rules)
            )
        self._report(turn.revisions, seen.header)

    def _report(self, revisions: Sequence[Revision], header: FrameHeader) -> None:
        for due in revisions:
            report = self._reporter.report(
                self._book.incident(due.incident_id),
                due.state,
                camera=self._camera,
                key_frames=self._key_frames,
                at=header.captured_at,
            )
            self._incidents.append(report.incident)
            if due.state is IncidentState.CLOSED:
                self._book.remove(due.incident_id)
            else:
                self._book.keep(report.remembered)
