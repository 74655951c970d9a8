from api.transport.connection import RedisClient, connect
from api.transport.live import RedisLiveView
from contracts.queues import LiveBox, LivePicture
from tests.fakes.builders import header
from tests.fakes.clock import ManualClock


def picture(seq: int) -> LivePicture:
    box = LiveBox(track_id="t1", label="person", box=(0.1, 0.2, 0.3, 0.4), is_alerting=True)
    return LivePicture(header=header(seq), jpeg=b"jpeg-%d" % seq, boxes=(box,))


def test_the_newest_picture_is_read_back_with_its_boxes(client: RedisClient) -> None:
    view = RedisLiveView(client)
    assert view.latest("cam") is None
    view.show(picture(1))
    view.show(picture(2))

    shown = view.latest("cam")

    assert shown is not None
    assert (shown.header, shown.jpeg) == (header(2), b"jpeg-2")
    assert shown.boxes == picture(2).boxes


def test_a_picture_that_cannot_be_sent_is_dropped() -> None:
    RedisLiveView(connect("redis://127.0.0.1:1/0")).show(picture(1))


def test_while_nobody_looks_a_picture_a_second_is_due(client: RedisClient) -> None:
    clock = ManualClock()
    view = RedisLiveView(client, clock=clock)
    assert view.is_due("cam")

    view.show(picture(1))
    assert not view.is_due("cam")
    assert view.is_due("other")

    clock.advance(1.0)
    assert view.is_due("cam")


def test_who_looks_has_each_frame_shown(client: RedisClient) -> None:
    clock = ManualClock()
    view, web = RedisLiveView(client, clock=clock), RedisLiveView(client)
    web.latest("cam", is_watched=True)

    view.show(picture(1))
    assert view.is_due("cam")

    client.delete("vigil:{cam}:watched")  # who looked has gone
    view.show(picture(2))
    assert not view.is_due("cam")


def test_whoever_only_asks_how_a_camera_is_does_not_watch_it(client: RedisClient) -> None:
    view = RedisLiveView(client, clock=ManualClock())
    view.latest("cam")

    view.show(picture(1))

    assert not view.is_due("cam")
