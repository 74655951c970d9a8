from pathlib import Path

import pytest

from contracts.settings import IngestSettings
from ingest.errors import SourceRejected
from ingest.sources.file import open_file
from tests.fakes.clips import walker_path
from tests.ingest.recordings import file_camera


def refusal(path: Path | str) -> str:
    with pytest.raises(SourceRejected) as caught:
        open_file(file_camera(path), IngestSettings())
    assert str(caught.value).startswith("camera gate: ")
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".h264"])
def test_opens_a_recording(suffix: str) -> None:
    opened = open_file(file_camera(walker_path(suffix=suffix)), IngestSettings())

    assert not opened.is_live
    assert len(opened.container.streams.video) == 1
    opened.close()
    opened.close()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "nowhere.mp4 is not there; check the path" in refusal(tmp_path / "nowhere.mp4")


def test_a_directory(tmp_path: Path) -> None:
    assert "is a directory" in refusal(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()

    assert "is empty" in refusal(tmp_path / "empty.mp4")


def test_a_file_that_is_no_video(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("this is not a video\n" * 500)

    assert "is not a video that can be read" in refusal(text)


def test_a_path_that_is_too_long() -> None:
    assert "cannot be looked at (File name too long)" in refusal("x" * 300 + ".mp4")


def test_an_address_is_no_path_and_its_password_is_not_shown() -> None:
    message = refusal("http://admin:hunter2@camera/clip.mp4")

    assert "is an address; wanted: the path of a file" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.mp4", "ffconcat version 1.0\nfile {target}\n"),
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{target}\n#EXT-X-ENDLIST\n"),
    ],
)
def test_a_playlist_cannot_make_us_open_other_files(
    tmp_path: Path, name: str, content: str
) -> None:
    playlist = tmp_path / name
    playlist.write_text(content.format(target=walker_path(suffix=".ts")))

    assert "is not a video that can be read" in refusal(playlist)


def test_a_name_that_libav_would_take_for_a_protocol_is_a_name(tmp_path: Path) -> None:
    odd = tmp_path / "concat:a|b.mp4"
    odd.write_bytes(walker_path().read_bytes())

    open_file(file_camera(odd), IngestSettings()).close()
