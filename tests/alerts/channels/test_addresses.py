import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.addresses import checked_addresses, is_reachable, resolve
from contracts.errors import DeliveryError


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "8.8.8.8"])
def test_public_addresses_are_reached(address: str) -> None:
    assert is_reachable(address, allow_private=False)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:192.168.1.1",
        "64:ff9b::c0a8:101",
        "2002:c0a8:101::1",
    ],
)
def test_private_addresses_are_reached_only_if_allowed(address: str) -> None:
    assert not is_reachable(address, allow_private=False)
    assert is_reachable(address, allow_private=True)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fd00:ec2::254",
        "100.100.100.200",
        "169.254.0.1",
        "fe80::1",
        "0.0.0.0",  # noqa: S104  # refused, not bound
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "240.0.0.1",
        "no address",
        "",
    ],
)
def test_some_addresses_are_never_reached(address: str) -> None:
    assert not is_reachable(address, allow_private=False)
    assert not is_reachable(address, allow_private=True)


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_each_disguise(address: object) -> None:
    plain = is_reachable(str(address), allow_private=False)

    assert is_reachable(f"::ffff:{address}", allow_private=False) is plain
    assert is_reachable(f"64:ff9b::{address}", allow_private=False) is plain


def test_one_forbidden_address_forbids_all() -> None:
    with pytest.raises(DeliveryError, match="allow_private_webhooks") as refusal:
        checked_addresses(["93.184.216.34", "10.1.2.3"], allow_private=False)

    assert "10.1.2.3" not in str(refusal.value)


def test_a_host_without_address_is_refused() -> None:
    with pytest.raises(DeliveryError, match="no address"):
        checked_addresses([], allow_private=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
def test_odd_spellings_of_loopback_are_seen_through(host: str) -> None:
    assert resolve(host, 80) == ["127.0.0.1"]
