"""``vigil probe`` and ``vigil discover``, against a device and a stream on loopback."""

import json

import pytest

from api.__main__ import main
from ingest.onvif.discovery import FoundDevice
from tests.fakes.clips import walker_path
from tests.onvif_device import FakeProfile, OnvifServer
from tests.quirkcam import QuirkCam

SECRET = "Pq7-canary"  # noqa: S105  # of this test


def test_a_device_and_its_stream_are_told_without_the_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with QuirkCam(walker_path(), user="admin", password=SECRET) as stream:
        profile = FakeProfile(profile_id="p1", url=stream.url)
        with OnvifServer(user="admin", password=SECRET, profiles=(profile,)) as server:
            monkeypatch.setenv("VIGIL_SOURCE", server.url)
            main(["probe", "--json", "--seconds", "1"])
            plain = json.loads(capsys.readouterr().out.splitlines()[-1])
            main(["probe", "--seconds", "1"])
            said = capsys.readouterr().out

    assert (plain["problem"], plain["codec"]) == ("", "h264")
    assert plain["device"]["model"] == "Dome 4"
    assert plain["device"]["profiles"][0]["url"].startswith("rtsp://***@127.0.0.1:")
    assert "p1: h264, 640 x 360, 15 a second  analysis" in said
    assert "Acme Dome 4, firmware 1.2" in said
    assert SECRET not in json.dumps(plain) + said


def test_a_device_is_told_even_if_its_stream_cannot_be_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = FakeProfile(profile_id="p1", url="rtsp://127.0.0.1:9/x")
    with OnvifServer(user="admin", password=SECRET, profiles=(profile,)) as server:
        monkeypatch.setenv("VIGIL_SOURCE", server.url)
        assert main(["probe", "--json"]) == 2

    plain = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "cannot be reached" in plain["problem"]
    assert plain["device"]["manufacturer"] == "Acme"
    assert SECRET not in json.dumps(plain)


def test_what_answers_is_listed_with_what_to_do_next(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = FoundDevice(address="192.168.1.7", url="onvif://192.168.1.7/x", advice=("look at it",))
    monkeypatch.setattr("api.commands.discover.discover", lambda **_options: (gate,))

    assert main(["discover", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"][0]["url"] == gate.url
    assert main(["discover"]) == 0
    assert (
        "onvif://192.168.1.7/x  says nothing of itself\n  -> look at it" in capsys.readouterr().out
    )


def test_that_nothing_answers_is_told_with_the_usual_reasons(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.commands.discover.discover", lambda **_options: ())

    assert main(["discover"]) == 1
    assert "where ONVIF" in capsys.readouterr().out
