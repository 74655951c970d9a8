import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager

from ingest.sources.rtsp_messages import Message
from ingest.sources.rtsp_udp import UdpTracks

HOST = "127.0.0.1"


@contextmanager
def tracks() -> Iterator[tuple[UdpTracks, socket.socket, socket.socket]]:
    """Ports of ours, and a camera's pair that has said yes."""
    made = UdpTracks(HOST, HOST, socket.AF_INET)
    with (
        closing(made),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp,
    ):
        for end in (rtp, rtcp):
            end.bind((HOST, 0))
            end.settimeout(2.0)
        yield made, rtp, rtcp


def setup() -> Message:
    transport = "RTP/AVP/TCP;unicast;interleaved=2-3"
    return Message(start="SETUP rtsp://x RTSP/1.0", headers=[("Transport", transport)])


def agreed(made: UdpTracks, rtp: socket.socket, rtcp: socket.socket) -> tuple[int, Message]:
    """Our RTP port, and the answer that libav gets."""
    request = setup()
    channels = made.ask(request)
    assert channels == (2, 3)
    port = int(request.value("Transport").split("client_port=")[1].split("-")[0])
    ports = f"{rtp.getsockname()[1]}-{rtcp.getsockname()[1]}"
    said = f"RTP/AVP/UDP;unicast;client_port={port}-{port + 1};server_port={ports}"
    answer = Message(start="RTSP/1.0 200 OK", headers=[("Transport", said)])
    made.agree(answer, channels)
    return port, answer


def rtp_packet(number: int) -> bytes:
    return struct.pack(">BBHII", 0x80, 96, number, 0, 7) + b"x"


def framed(channel: int, content: bytes) -> bytes:
    return b"$" + bytes([channel]) + len(content).to_bytes(2, "big") + content


def test_a_pair_of_ports_is_asked_for_and_libav_hears_of_channels() -> None:
    with tracks() as (made, rtp, rtcp):
        port, answer = agreed(made, rtp, rtcp)

    assert port % 2 == 0
    assert answer.value("Transport") == "RTP/AVP/TCP;unicast;interleaved=2-3"


def test_asked_again_it_names_the_same_ports() -> None:
    with tracks() as (made, _, _):
        first, again = setup(), setup()
        made.ask(first)
        made.ask(again)

    assert first.value("Transport") == again.value("Transport")


def test_a_way_through_firewalls_is_opened() -> None:
    with tracks() as (made, rtp, rtcp):
        port, _ = agreed(made, rtp, rtcp)

        assert rtp.recvfrom(100)[1] == (HOST, port)
        assert rtcp.recvfrom(100)[1] == (HOST, port + 1)


def test_media_comes_in_order_and_once_on_its_channel() -> None:
    with tracks() as (made, rtp, rtcp):
        port, _ = agreed(made, rtp, rtcp)
        for number in (1, 3, 2, 2, 4):
            rtp.sendto(rtp_packet(number), (HOST, port))

        found = made.receive(made.sockets, now_s=1.0)

    assert found == b"".join(framed(2, rtp_packet(number)) for number in (1, 2, 3, 4))


def test_reports_go_both_ways() -> None:
    sender, receiver = b"\x80\xc8\x00\x01abcd", b"\x80\xc9\x00\x01efgh"
    with tracks() as (made, rtp, rtcp):
        port, _ = agreed(made, rtp, rtcp)
        rtcp.recv(100)
        rtcp.sendto(sender, (HOST, port + 1))
        found = made.receive(made.sockets, now_s=1.0)
        made.send(framed(2, b"no report") + framed(3, receiver))
        heard = rtcp.recv(100)

    assert found == framed(3, sender)
    assert heard == receiver


def test_datagrams_of_another_host_are_dropped() -> None:
    made = UdpTracks(HOST, "127.0.0.9", socket.AF_INET)
    with closing(made), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        made.ask(setup())
        address = made.sockets[0].getsockname()
        for number in range(8):
            stranger.sendto(rtp_packet(number), address)

        assert made.receive(made.sockets, now_s=1.0) == b""


def test_what_is_missing_is_waited_for_until_it_is_due() -> None:
    with tracks() as (made, rtp, rtcp):
        port, _ = agreed(made, rtp, rtcp)
        for number in (1, 2, 3, 4, 6):
            rtp.sendto(rtp_packet(number), (HOST, port))
        made.receive(made.sockets, now_s=1.0)
        due_s = made.due_s

        assert due_s is not None
        assert made.receive([], now_s=due_s - 0.01) == b""
        assert made.receive([], now_s=due_s) == framed(2, rtp_packet(6))


def test_what_never_came_is_counted_once_it_is_given_up() -> None:
    with tracks() as (made, rtp, rtcp):
        port, _ = agreed(made, rtp, rtcp)
        for number in (1, 2, 3, 4, 7):
            rtp.sendto(rtp_packet(number), (HOST, port))
        made.receive(made.sockets, now_s=1.0)
        assert made.lost == 0

        made.receive([], now_s=made.due_s or 0.0)

    assert made.lost == 2


def test_a_camera_that_takes_interleaved_data_all_the_same_is_left_to_it() -> None:
    said = "RTP/AVP/TCP;unicast;interleaved=2-3"
    with tracks() as (made, _, _):
        channels = made.ask(setup())
        assert channels is not None
        answer = Message(start="RTSP/1.0 200 OK", headers=[("Transport", said)])
        made.agree(answer, channels)

    assert answer.value("Transport") == said
