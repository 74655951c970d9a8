"""Checkpoints: the same after the wire, bounded, and refused if they are something else."""

from datetime import timedelta

import pytest

from contracts.codec import CodecError, encode
from contracts.incidents import FactName
from contracts.rules import RuleKind, Severity
from tests.fakes.builders import fact, rule_event, scene, track
from tests.fakes.clock import START
from vision.checkpoint import Checkpoint, Outgoing, decode_checkpoint, encode_checkpoint
from vision.incidents import OpenIncident
from vision.keyframes import Moment


def incident(points: int = 21) -> OpenIncident:
    event = rule_event()
    return OpenIncident(
        incident_id="ev_1",
        revision=2,
        run_id="run1",
        kind=RuleKind.INTRUSION,
        severity=Severity.HIGH,
        started_at=event.since_at,
        started_s=event.since_s,
        decisive_at=event.at,
        rule_events=(event,),
        tracks={"t1": track([(0.1 + 0.0001 * index, 0.6) for index in range(points)])},
        active_at=event.at,
        revised_at=event.at + timedelta(seconds=1),
        scene=scene(),
        detected_at=START,
        cited={"t1": {Moment.FIRST: "f_0"}},
        facts=(fact(FactName.DWELL, 1.4, fact_id="a1"),),
    )


def test_a_checkpoint_survives_the_wire() -> None:
    checkpoint = Checkpoint(
        run_id="run1",
        next_track_number=7,
        incidents=(incident(),),
        unsent=(Outgoing(topic="incidents", item_id="ev_1:2", payload=b"\x00\xff"),),
    )

    assert decode_checkpoint(encode_checkpoint(checkpoint)) == checkpoint


def test_long_histories_are_thinned_with_both_ends_kept() -> None:
    content = encode_checkpoint(Checkpoint(incidents=(incident(points=900),)))

    [kept] = decode_checkpoint(content).incidents
    points = kept.tracks["t1"].points
    assert len(points) <= 300
    assert (points[0].seq, points[-1].seq) == (0, 899)
    assert len(content) < 100_000


@pytest.mark.parametrize("content", [b"", b"[]", b"not json", b'{"incidents": 3}'])
def test_what_is_no_checkpoint_is_refused(content: bytes) -> None:
    with pytest.raises(CodecError):
        decode_checkpoint(content)


def test_another_version_is_refused() -> None:
    with pytest.raises(CodecError, match="version 99, wanted 1"):
        decode_checkpoint(encode(Checkpoint(version=99)))
