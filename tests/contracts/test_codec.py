import pytest

from api.plain import to_plain
from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.codec import CodecError, decode, encode
from contracts.incidents import Incident
from tests.fakes.builders import incident, scene


def test_an_incident_survives_the_journey() -> None:
    sent = incident()
    assert decode(encode(sent), Incident) == sent


def test_a_camera_with_its_rules_survives_the_journey() -> None:
    source = SourceSettings(source_type=SourceType.RTSP, url="rtsp://h/x")
    sent = Camera(camera_id="gate", source=source, scene=scene())
    assert decode(encode(sent), Camera) == sent


def test_a_newer_sender_does_not_break_an_older_receiver() -> None:
    plain = to_plain(incident())
    plain["invented_later"] = 1
    assert decode(encode(plain), Incident) == incident()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"incident_id": 3}', b"\xff\xfe"])
def test_what_is_no_incident_is_refused(content: bytes) -> None:
    with pytest.raises(CodecError, match="are no Incident"):
        decode(content, Incident)


def test_a_zone_that_breaks_its_own_rules_is_refused_on_arrival() -> None:
    plain = to_plain(incident())
    plain["zones"][0]["polygon"] = [[0, 0], [1, 1]]
    with pytest.raises(CodecError, match="at least 3 points"):
        decode(encode(plain), Incident)
