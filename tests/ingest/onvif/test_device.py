"""ONVIF devices, sound and otherwise, against a real server on loopback."""

from datetime import timedelta
from typing import Any, Literal

import pytest

from contracts.clock import SystemClock
from ingest.onvif.device import MediaProfile, OnvifDevice, choose
from ingest.sources.http_body import HttpRefused
from tests.onvif_device import BOMB, MAIN, OUTSIDE, SUB, FakeProfile, OnvifServer, fault

SECRET = "hunter2&<"  # noqa: S105  # a test's
LOGIN: dict[str, Any] = {"user": "admin", "password": SECRET}


def device_of(server: OnvifServer, *, url: str = "", timeout_s: float = 5.0) -> OnvifDevice:
    url = url or server.url.replace(SECRET, "hunter2%26%3C")
    return OnvifDevice(url=url, timeout_s=timeout_s, clock=SystemClock())


def streams(server: OnvifServer, *, url: str = "") -> list[str]:
    device = device_of(server, url=url)
    return [device.stream_url(profile) for profile in device.profiles()]


def refusal(server: OnvifServer, *, url: str = "") -> HttpRefused:
    with pytest.raises(HttpRefused) as caught:
        device_of(server, url=url).describe()
    assert SECRET not in str(caught.value)
    return caught.value


def test_what_a_device_says_of_itself() -> None:
    with OnvifServer(**LOGIN) as server:
        found = device_of(server).describe()

    assert (found.manufacturer, found.model, found.firmware) == ("Acme", "Dome 4", "1.2")
    assert [(one.profile_id, one.width, one.fps) for one in found.profiles] == [
        ("main", 2560, 15.0),
        ("sub", 640, 15.0),
    ]
    assert (found.analysis, found.evidence) == ("sub", "main")
    assert found.topics == (
        "VideoSource/MotionAlarm",
        "VideoSource/GlobalSceneChange/ImagingService",
    )
    assert found.clock_offset_s == pytest.approx(0.0, abs=1.5)
    assert found.advice == ()


def test_the_password_is_in_no_request() -> None:
    with OnvifServer(**LOGIN) as server:
        device_of(server).describe()

        assert not any(SECRET in head for head in server.heads)
        assert not any("hunter2" in head for head in server.heads)


@pytest.mark.parametrize("hours", [-26, 7])
def test_a_clock_that_is_off_does_not_spoil_the_digest(hours: int) -> None:
    with OnvifServer(**LOGIN, clock_ahead=timedelta(hours=hours)) as server:
        found = device_of(server).describe()

        assert server.refused == 0
    assert found.clock_offset_s == pytest.approx(-3600 * hours, abs=2)
    assert "set NTP" in found.advice[0]


def test_a_device_that_keeps_its_time_to_itself_is_asked_by_ours() -> None:
    with OnvifServer(**LOGIN, has_clock=False) as server:
        found = device_of(server).describe()

        assert server.asked.count("GetSystemDateAndTime") == 1
    assert found.clock_offset_s is None


def test_http_digest_instead_of_that_of_ws_security() -> None:
    with OnvifServer(**LOGIN, auth="http") as server:
        assert len(streams(server)) == 2


@pytest.mark.parametrize("auth", ["wss", "http"])
def test_a_wrong_password_is_tried_once(auth: Literal["wss", "http"]) -> None:
    with OnvifServer(user="admin", password="another", auth=auth) as server:  # noqa: S106  # a test's
        url = f"onvif://admin:hunter2@127.0.0.1:{server.port}"
        error = refusal(server, url=url)

        assert error.status == 401
        # By HTTP, two questions without a login (its time, and the challenge), and the answer.
        assert server.refused == (1 if auth == "wss" else 3)


def test_a_device_that_names_another_host_is_asked_at_its_own() -> None:
    """Devices behind NAT and in containers name addresses that are not theirs."""
    elsewhere = FakeProfile(profile_id="x", url="rtsp://admin:old@192.0.2.9:8554/live?a=1&b=2")
    with OnvifServer(**LOGIN, named_host="192.0.2.9", profiles=(elsewhere,)) as server:
        found = device_of(server).describe()
        [url] = streams(server)

    assert url == "rtsp://admin:hunter2%26%3C@127.0.0.1:8554/live?a=1&b=2"
    assert any("names its services by another host" in advice for advice in found.advice)


def test_a_device_of_before_2011() -> None:
    with OnvifServer(has_services=False) as server:
        server._GetServices = None  # type: ignore[method-assign, assignment]
        assert streams(server) == [MAIN.url, SUB.url]


@pytest.mark.parametrize("media2", ["sound", "broken"])
def test_the_second_media_service_is_taken_where_it_works(
    media2: Literal["sound", "broken"],
) -> None:
    h265 = FakeProfile(profile_id="m", encoding="H265", width=3840, height=2160)
    with OnvifServer(media2=media2, profiles=(h265, SUB)) as server:
        device = device_of(server)
        profiles = device.profiles()

        assert [one.codec for one in profiles] == ["h265", "h264"]
        assert device.stream_url(profiles[1]) == SUB.url


def test_without_a_sub_stream_the_only_one_is_analysed_and_that_is_said() -> None:
    with OnvifServer(profiles=(MAIN,)) as server:
        device = device_of(server)
        found = device.describe()
        main = device_of(server, url=f"{server.url}?stream=main")

        assert main.wanted(main.profiles()) is None
    assert (found.analysis, found.evidence) == ("main", "")
    assert "it has no sub-stream" in found.advice[0]


def test_a_recorder_has_a_pair_of_streams_for_each_of_its_cameras() -> None:
    second = FakeProfile(profile_id="m2", width=1920, height=1080, source="source-2")
    third = FakeProfile(profile_id="s2", width=704, height=576, source="source-2")
    with OnvifServer(profiles=(MAIN, SUB, second, third)) as server:
        device = device_of(server, url=f"{server.url}?source=source-2")
        wanted = device.wanted(device.profiles())
        named = device_of(server, url=f"{server.url}?profile=main")
        chosen = named.wanted(named.profiles())

    assert wanted is not None
    assert chosen is not None
    assert (wanted.profile_id, chosen.profile_id) == ("s2", "main")


def test_a_profile_that_is_not_there() -> None:
    with OnvifServer() as server:
        device = device_of(server, url=f"{server.url}?profile=no")
        with pytest.raises(HttpRefused, match="it has no profile 'no'"):
            device.wanted(device.profiles())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (BOMB, "a document type"),
        (OUTSIDE, "a document type"),
        (b"<html>router</html>", "no SOAP envelope"),
        (b"", "no well-formed XML"),
        (b"<a>" * 100, "nested deeper than 64"),
        (b"<a>" + b" " * 1_200_000 + b"</a>", "more than 1000000 bytes"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "no well-formed XML"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(answer: bytes, said: str) -> None:
    with OnvifServer(answer=answer) as server:
        assert said in refusal(server).detail


def test_a_fault_is_told_in_the_devices_words() -> None:
    with OnvifServer(answer=fault("Receiver", "Action", "too\nmany \x85 users")) as server:
        assert refusal(server).detail == "it refuses the request: too many users"


def test_a_redirect_is_not_followed() -> None:
    with OnvifServer(redirect="http://192.0.2.9/secret") as server:
        error = refusal(server)

    assert (error.status, error.detail) == (302, "192.0.2.9")


@pytest.mark.parametrize("quirk", [{"is_silent": True}, {"drip_s": 0.05}])
def test_a_device_that_says_nothing_is_given_up(quirk: dict[str, Any]) -> None:
    with OnvifServer(**quirk) as server, pytest.raises(TimeoutError):
        device_of(server, timeout_s=0.3).describe()


@pytest.mark.parametrize("address", ["8.8.8.8", "169.254.169.254", "224.0.0.1", "::ffff:1.1.1.1"])
def test_only_private_addresses_are_called(address: str) -> None:
    device = OnvifDevice(
        url="onvif://admin:hunter2@camera.example",
        timeout_s=1.0,
        clock=SystemClock(),
        resolver=lambda _host, _port: [address],
    )
    with pytest.raises(HttpRefused, match="in no private network"):
        device.describe()


@pytest.mark.parametrize(
    "url", ["http://camera/x", "onvif://", "onvif://c:99999", "onvif://c?stream=x", "onvif://c?y=1"]
)
def test_what_is_no_such_url_is_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(?!.*99999)"):
        OnvifDevice(url=url, timeout_s=1.0, clock=SystemClock())


def test_thumbnails_and_mjpeg_are_taken_last() -> None:
    thumb = MediaProfile(profile_id="t", codec="h264", width=160, height=120)
    jpeg = MediaProfile(profile_id="j", codec="jpeg", width=640, height=360)
    large = MediaProfile(profile_id="l", codec="h265", width=3840, height=2160)
    middle = MediaProfile(profile_id="m", codec="h264", width=1280, height=720)

    assert choose([thumb, jpeg, large, middle]) == (middle, large)
    assert choose([jpeg]) == (jpeg, None)
    assert choose([]) == (None, None)
