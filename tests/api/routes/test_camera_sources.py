"""Sources that lead to a second one, or to a device: by ONVIF, and at this machine's USB."""

import pytest

from tests.fakes.web import FakeWeb, WebClient

URL = "onvif://admin:hunter2@192.0.2.7"


def added(web: FakeWeb, client: WebClient, **source: str) -> None:
    client.sign_in(web)
    body = {"id": "gate", "source": {"url": URL, **source}}
    answer = client.post("/api/v1/cameras", json=body)
    assert answer.status_code == 201, answer.text
    assert "hunter2" not in answer.text


def streams(web: FakeWeb) -> tuple[str, str]:
    stored = web.history.camera("gate")
    assert stored is not None
    return stored.source.url, stored.source.evidence_url


def test_one_onvif_address_means_both_streams_of_the_camera() -> None:
    web = FakeWeb()
    with WebClient(web.app()) as client:
        added(web, client)

        assert streams(web) == (URL, f"{URL}?stream=main")
        assert client.get("/api/v1/cameras/gate").json()["source"]["type"] == "onvif"


@pytest.mark.parametrize("query", ["?stream=sub", "?profile=p1", "?stream=main&source=s2"])
def test_who_names_a_stream_gets_that_one_alone(query: str) -> None:
    web = FakeWeb()
    with WebClient(web.app()) as client:
        added(web, client, url=f"{URL}{query}")

        assert streams(web) == (f"{URL}{query}", "")


@pytest.mark.parametrize(
    ("new", "wanted"),
    [
        ("onvif://admin:new@192.0.2.7?source=s2", "onvif://admin:new@192.0.2.7?source=s2&stream=main"),
        ("rtsp://admin:new@192.0.2.7/live", ""),
    ],
)  # fmt: skip
def test_the_main_stream_follows_a_changed_address(new: str, wanted: str) -> None:
    """A new password must not leave the old one with the main stream."""
    web = FakeWeb()
    with WebClient(web.app()) as client:
        added(web, client)
        client.patch("/api/v1/cameras/gate", json={"source": {"url": new}})

        assert streams(web) == (new, wanted)


def test_a_main_stream_of_ones_own_choice_stays() -> None:
    web = FakeWeb()
    main = "rtsp://admin:hunter2@192.0.2.7/main"
    with WebClient(web.app()) as client:
        added(web, client, evidence_url=main)
        client.patch("/api/v1/cameras/gate", json={"name": "Gate"})

        assert streams(web) == (URL, main)


@pytest.mark.parametrize(
    "url",
    [
        "onvif://admin:hunter2@",
        "onvif://admin:hunter2@cam?stream=third",
        "usb:/dev/sda?hunter2",
        "usb:/dev/video0?hunter2=1",
    ],
)
def test_what_is_no_such_address_is_named_and_not_repeated(url: str) -> None:
    web = FakeWeb()
    with WebClient(web.app()) as client:
        client.sign_in(web)
        answer = client.post("/api/v1/cameras", json={"source": {"url": url}})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["source.url"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("url", ["usb:/dev/video0?size=640x480", "/dev/video0"])
def test_a_device_of_this_machine(url: str) -> None:
    web = FakeWeb()
    with WebClient(web.app()) as client:
        added(web, client, url=url)
        shown = client.get("/api/v1/cameras/gate").json()["source"]

    assert (shown["type"], shown["url"]) == ("usb", url)
