"""Devices that answer to multicast, on loopback; what they claim is not simply believed."""

import pytest

from contracts.clock import SystemClock
from ingest.onvif.discovery import discover, read_match
from tests.onvif_device import BOMB, DiscoveryResponder, match

HERE = "192.168.1.7"


def test_what_answers_is_listed_once() -> None:
    with DiscoveryResponder(
        "http://127.0.0.1:8899/onvif/device_service", "http://[fe80::1]/x http://127.0.0.1/own"
    ) as responder:
        found = discover(
            clock=SystemClock(), wait_s=0.6, group=responder.group, interfaces=["127.0.0.1"]
        )

    assert [one.url for one in found] == [
        "onvif://127.0.0.1/own",
        "onvif://127.0.0.1:8899",
    ]
    assert (found[0].name, found[0].hardware, found[0].location) == (
        "Acme Dome",
        "D4",
        "north gate",
    )
    assert b"NetworkVideoTransmitter" in responder.questions[0]
    assert len(responder.questions) == 4, "two types of device, each asked for twice"


def test_a_device_is_where_it_answers_from() -> None:
    found = read_match(match(xaddrs="http://10.0.0.9:8080/onvif/device_service"), sender=HERE)

    assert found is not None
    assert found.url == f"onvif://{HERE}"
    assert "names another address" in found.advice[0]


def test_tls_and_ports_are_kept_of_its_own_address() -> None:
    found = read_match(match(xaddrs=f"https://{HERE}:8443/onvif"), sender=HERE)

    assert found is not None
    assert found.url == f"onvifs://{HERE}:8443/onvif"


def test_who_has_no_address_by_dhcp_is_told() -> None:
    found = read_match(match(xaddrs="http://169.254.3.4/x"), sender="169.254.3.4")

    assert found is not None
    assert "no address by DHCP" in found.advice[0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        BOMB,
        match(xaddrs="http://x/", types="wsdp:Printer", scopes="ldap:///x"),
        match(xaddrs="http://x/", relates_to="urn:uuid:of-another"),
    ],
)
def test_what_is_no_answer_of_a_camera_is_left_out(content: bytes) -> None:
    assert read_match(content, sender=HERE, asked=["urn:uuid:ours"]) is None


def test_nobody_outside_of_private_networks_is_heard() -> None:
    assert read_match(match(xaddrs="http://8.8.8.8/x"), sender="8.8.8.8") is None


def test_an_answer_without_addresses_is_asked_at_the_usual_path() -> None:
    found = read_match(match(xaddrs="ftp://x/ http://[::bad/"), sender=HERE)

    assert found is not None
    assert found.url == f"onvif://{HERE}"


def test_a_machine_without_networks_finds_nothing() -> None:
    assert discover(clock=SystemClock(), wait_s=0.1, interfaces=["192.0.2.1"]) == ()
