import pytest

from contracts.cameras import Camera, SourceSettings, SourceType, redact_url
from contracts.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:hunter2@10.0.0.5:554/h264", "rtsp://***@10.0.0.5:554/h264"),
        ("rtsp://cam.local/live", "rtsp://cam.local/live"),
        ("http://h/x?user=a&pwd=hunter2&ch=1", "http://h/x?user=***&pwd=***&ch=1"),
        ("rtsp://u:p@[fe80::1]:554/x#frag", "rtsp://***@[fe80::1]:554/x"),
        (
            "rtsp://h/user=admin_password=tl_J_channel=1_a.sdp",
            "rtsp://h/user=***_password=***_channel=1_a.sdp",
        ),
        ("rtsp://h/user=a&pwd=hunter2&c=1/x", "rtsp://h/user=***&pwd=***&c=1/x"),
        ("/videos/yard.mp4", "/videos/yard.mp4"),
        ("rtsp://a:hunter2@host:port/x", "(a URL that cannot be parsed)"),
        ("rtsp:/a:hunter2@host/x", "(a URL that cannot be parsed)"),
        ("a:hunter2@host/x", "(a URL that cannot be parsed)"),
        ("rtsp://a:12/hunter2@host/x", "(a URL that cannot be parsed)"),
        ("/videos/gate@night.mp4", "/videos/gate@night.mp4"),
    ],
)
def test_a_shown_url_keeps_its_secrets(url: str, shown: str) -> None:
    assert redact_url(url) == shown


def test_a_source_does_not_show_its_url() -> None:
    source = SourceSettings(source_type=SourceType.RTSP, url="rtsp://u:hunter2@h/x")
    assert "hunter2" not in repr(source)
    assert "hunter2" not in repr(Camera(camera_id="gate", source=source))


def test_a_camera_id_must_fit_keys_and_urls() -> None:
    source = SourceSettings(source_type=SourceType.FILE, url="x.mp4")
    with pytest.raises(ConfigError, match="camera id must be"):
        Camera(camera_id="Front Door", source=source)
