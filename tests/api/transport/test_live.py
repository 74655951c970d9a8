from api.transport.connection import RedisClient, connect
from api.transport.live import RedisLiveView
from contracts.queues import LiveBox, LivePicture
from tests.fakes.builders import header


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
