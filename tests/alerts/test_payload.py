import json
import re
from dataclasses import replace

from alerts.lifecycle import revise
from alerts.payload import alert_data, feed_entry, rfc3339
from contracts.alerts import Alert, FeedType
from contracts.incidents import EvidenceItem, EvidenceKind
from tests.alerts.builders import alert, clip, finding, incident, next_revision
from tests.fakes.clock import START
from tests.fakes.tracks import missed


def reasoned() -> Alert:
    revised = revise(alert(), incident=None, finding=finding(), now=START)
    assert revised is not None
    return revised


def test_a_provisional_alert_on_the_wire() -> None:
    content = alert_data(alert())

    assert content == {
        "alert_id": alert().alert_id,
        "event_id": "ev_1",
        "revision": 1,
        "phase": "provisional",
        "state": "open",
        "acknowledged_by": "",
        "notes": [],
        "is_unreasoned": False,
        "camera_id": "cam",
        "camera_name": "Loading yard",
        "place": "north",
        "kind": "intrusion",
        "severity": "high",
        "decision": "alert",
        "confidence": 1.0,
        "title": "Person in Loading dock",
        "summary": content["summary"],
        "start": "2026-03-01T12:00:02.600Z",
        "end": None,
        "opened_at": "2026-03-01T12:00:04.080Z",
        "updated_at": "2026-03-01T12:00:04.080Z",
        "zones": ["dock"],
        "zone_names": ["Loading dock"],
        "lines": [],
        "line_names": [],
        "rule": {"id": "keep_out", "version": 1},
        "joins": [],
        "objects": [
            {
                "track_id": "t1",
                "label": "person",
                "fired_rule": True,
                "score": 0.85,
                "first_seen": "2026-03-01T12:00:03.600Z",
                "last_seen": "2026-03-01T12:00:04.000Z",
                "box": [0.575, 0.4, 0.625, 0.6],
                "dwell_s": 1.4,
                "speed_mps": None,
                "attributes": {},
            }
        ],
        "reasoning": None,
        "margin": {
            "param": "dwell_s",
            "threshold": 1.0,
            "measured": 1.4,
            "slack": 0.4,
            "sigma": 0.1,
            "unit": "s",
        },
        "timing": {
            "capture": "2026-03-01T12:00:04.000Z",
            "detect_ms": 80.0,
            "reason_ms": None,
            "publish_ms": 0.0,
            "late": False,
        },
        "evidence": content["evidence"],
        "correlation_id": alert().correlation_id,
        "tags": [],
    }


def test_the_reasoning_on_the_wire() -> None:
    content = alert_data(reasoned())

    assert content["reasoning"] == {
        "verdict": "confirmed",
        "reasoner": "program",
        "model": {"name": "program", "sha256": ""},
        "confidence_basis": "program",
        "event_revision": 1,
        "attributes": {},
        "claims": [
            {
                "id": "c1",
                "role": "observation",
                "type": "dwell",
                "args": {"track": "t1", "zone": "dock", "min_s": 1.0},
                "text": "A person was in the dock for 1.4 s.",
                "status": "supported",
                "measured": 1.4,
                "tolerance": 0.2,
                "unit": "s",
                "evidence": ["a6"],
                "frames": ["f_20"],
                "note": "",
            }
        ],
    }


def test_an_alert_says_which_of_its_objects_fired_the_rule() -> None:
    happened = incident()
    [followed] = happened.tracks
    bystander = replace(followed, track_id="t2")
    content = alert_data(alert(replace(happened, tracks=(followed, bystander))))

    objects = content["objects"]
    assert isinstance(objects, list)
    assert {item["track_id"]: item["fired_rule"] for item in objects} == {"t1": True, "t2": False}


def test_an_object_was_last_seen_when_it_was_seen_and_not_while_it_was_waited_for() -> None:
    happened = incident()
    [followed] = happened.tracks

    content = alert_data(alert(replace(happened, tracks=(missed(followed, 900.0),))))

    objects = content["objects"]
    assert isinstance(objects, list)
    assert objects[0]["last_seen"] == rfc3339(followed.last.captured_at)


def test_a_zone_without_a_name_goes_by_its_id() -> None:
    happened = incident()
    unnamed = tuple(replace(zone, name="") for zone in happened.zones)

    assert alert_data(alert(replace(happened, zones=unnamed)))["zone_names"] == ["dock"]


def test_evidence_has_addresses_once_it_is_kept() -> None:
    lost = EvidenceItem(kind=EvidenceKind.FRAME, frame_id="f_20", problem="the disk is full")

    without = alert_data(alert(incident(evidence=(lost,))))["evidence"]
    kept = alert_data(alert(incident(evidence=(replace(lost, ref="x.jpg"), clip()))))["evidence"]

    assert without == {
        "snapshot": None,
        "clip": None,
        "still": None,
        "frames": [],
        "frames_digest": None,
        "problems": ["the disk is full"],
    }
    assert isinstance(kept, dict)
    assert kept["snapshot"] == "/api/v1/events/ev_1/snapshot.jpg"
    assert kept["clip"] == "/api/v1/events/ev_1/clip.mp4"
    assert kept["frames"] == ["f_20"]


def test_a_still_is_named_and_is_none_of_the_frames_as_analysed() -> None:
    frame = EvidenceItem(kind=EvidenceKind.FRAME, frame_id="f_20", ref="x.jpg")
    still = EvidenceItem(kind=EvidenceKind.STILL, ref="y.jpg")

    without = alert_data(alert(incident(evidence=(frame,))))["evidence"]
    kept = alert_data(alert(incident(evidence=(frame, still))))["evidence"]

    assert isinstance(kept, dict)
    assert isinstance(without, dict)
    assert kept == {**without, "still": "/api/v1/events/ev_1/still.jpg"}


def test_a_feed_entry_is_a_cloud_event() -> None:
    entry = feed_entry(reasoned(), FeedType.ALERT_REVISED)
    event = json.loads(json.dumps(entry.cloud_event))

    assert event.pop("data") == alert_data(reasoned())
    assert event == {
        "specversion": "1.0",
        "id": entry.event_id,
        "source": "/cameras/cam",
        "type": "vigil.alert.revised.v1",
        "subject": "cam/rule/keep_out",
        "time": "2026-03-01T12:00:00.000Z",
        "datacontenttype": "application/json",
    }
    assert re.fullmatch("ce_[0-9a-f]{24}", entry.event_id)


def test_the_same_news_has_the_same_id_and_other_news_another() -> None:
    opened = alert()

    def event_id(item: Alert, cause: str = "") -> str:
        return feed_entry(item, FeedType.ALERT_REVISED, cause=cause).event_id

    assert event_id(opened) == event_id(opened)
    assert event_id(opened) != event_id(next_revision(opened))
    assert event_id(opened, "clip") == event_id(next_revision(opened), "clip")


def test_no_url_of_a_camera_is_on_the_wire() -> None:
    assert "rtsp" not in json.dumps(alert_data(reasoned()))
