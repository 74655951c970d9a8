import asyncio
import socket

import pytest
from pydantic import SecretStr

from contracts.errors import ConfigError
from contracts.settings import WebRtcSettings
from ingest.webrtc.network import MediaLoop, new_connection, read_network


def settings(**values: object) -> WebRtcSettings:
    return WebRtcSettings.model_validate(values)


def test_by_default_nobody_is_asked_and_every_own_address_is_offered() -> None:
    network = read_network(settings())

    assert network.servers == ()
    assert network.links() == ()
    assert network.own_addresses()


def test_a_connection_without_servers_gathers_from_none() -> None:
    """aiortc's own default is a public STUN server."""

    async def stun_server() -> object:
        connection = new_connection(read_network(settings()))
        transceiver = connection.addTransceiver("video")
        ice = transceiver.receiver.transport.transport._connection
        await connection.close()
        return (ice.stun_server, ice.turn_server)

    assert asyncio.run(stun_server()) == (None, None)


def test_servers_are_given_on_as_links() -> None:
    network = read_network(
        settings(
            ice_servers=["stun:stun.example.net", "turn:us:pw@turn.example.net:3478?transport=udp"]
        )
    )

    assert network.links() == (
        '<stun:stun.example.net>; rel="ice-server"',
        '<turn:turn.example.net:3478?transport=udp>; rel="ice-server"; username="us"; '
        'credential="pw"; credential-type="password"',
    )
    assert "pw" not in repr(settings(ice_servers=[SecretStr("turn:us:pw@turn.example.net")]))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"ports": "40000"}, "webrtc.ports"),
        ({"ports": "50000-40000"}, "webrtc.ports"),
        ({"ports": "80-90"}, "webrtc.ports"),
        ({"ports": "60000-70000"}, "webrtc.ports"),
        ({"addresses": ["eth0"]}, "webrtc.addresses"),
        ({"public_address": "vigil.example"}, "webrtc.public_address"),
        ({"ice_servers": ["turn:hunter2.example.net"]}, "webrtc.ice_servers"),
        ({"ice_servers": ["http://us:hunter2@x"]}, "webrtc.ice_servers"),
    ],
)
def test_a_setting_of_another_form_is_refused_by_name(values: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        read_network(settings(**values))

    assert "hunter2" not in str(caught.value)


def test_media_use_the_ports_of_the_setting_and_no_other() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        free = taken.getsockname()[1]
    ports = read_network(settings(ports=f"{free}-{free}")).ports
    loop = MediaLoop(ports)

    async def bind() -> int:
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        opened.append(transport)
        port: int = transport.get_extra_info("sockname")[1]
        return port

    opened: list[asyncio.BaseTransport] = []
    try:
        assert loop.run_until_complete(bind()) == free
        with pytest.raises(OSError, match="is taken"):
            loop.run_until_complete(bind())
    finally:
        for transport in opened:
            transport.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
