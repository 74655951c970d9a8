"""A blinded camera through the whole pipeline: one incident, its evidence, what is said of it."""

from dataclasses import replace

import cv2

from contracts.cameras import CameraState
from contracts.frames import EncodedFrame, Frame
from contracts.incidents import EvidenceKind, IncidentState
from contracts.rules import RuleKind, SceneRules
from tests.bench.tamper_scenes import cover
from tests.fakes.pipeline_rig import NOBODY, Rig, camera
from tests.fakes.views import filmed, scene


def encoded(frame: Frame) -> EncodedFrame:
    height, width = frame.pixels_HW3.shape[:2]
    header = replace(frame.header, width=width, height=height)
    return EncodedFrame(header=header, jpeg=cv2.imencode(".jpg", frame.pixels_HW3)[1].tobytes())


def test_a_covered_camera_is_one_incident_that_shows_before_and_after() -> None:
    rig = Rig(NOBODY, watched=camera(SceneRules()))
    frames = [
        *filmed(scene(), seconds=6.0),
        *filmed(scene(), seconds=4.0, starts_s=6.0, effect=cover(22, slides_s=0.0)),
        *filmed(scene(), seconds=14.0, starts_s=10.0),
    ]

    incidents = rig.play(encoded(frame) for frame in frames)

    assert {(one.incident_id, one.kind) for one in incidents} == {
        (incidents[0].incident_id, RuleKind.TAMPER)
    }
    assert [incidents[0].state, incidents[-1].state] == [
        IncidentState.OPENED,
        IncidentState.CLOSED,
    ]
    assert [track.label for track in incidents[0].tracks] == ["covered view"]
    kept = [item for item in incidents[-1].evidence if item.kind is EvidenceKind.FRAME]
    assert min(item.frame_id for item in kept) == "f_5800"
    views = [result.live.view for result in rig.results if result.live is not None]
    assert (views[40].state, views[40].cause) == (CameraState.BLIND, "covered view")
    assert (views[-1].state, views[-1].cause) == (CameraState.SEEING, "")
    assert 0.8 < views[-1].coverage < 0.95
