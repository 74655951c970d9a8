import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.model_download import Downloader, RemoteFile
from contracts.errors import ConfigError, ModelError, StorageFull, TransportUnavailable
from tests.fakes.clock import ManualClock
from tests.fakes.file_server import FileServer, serve_files

CONTENT = bytes(range(256)) * 4000
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with serve_files(tmp_path_factory.mktemp("tls")) as server:
        yield server


@pytest.fixture
def server(running: FileServer) -> FileServer:
    """A server that offers ``/m.onnx`` with a tag and behaves."""
    running.files = {"/m.onnx": CONTENT}
    running.etags = {"/m.onnx": '"one"'}
    running.redirects, running.statuses, running.cut_after = {}, {}, {}
    running.has_ranges = True
    running.requests.clear()
    return running


@pytest.fixture
def downloader(server: FileServer) -> Iterator[Downloader]:
    made = Downloader(clock=ManualClock(), trust=server.trust())
    yield made
    made.close()


def fetch(
    downloader: Downloader, server: FileServer, folder: Path, *, sha256: str = "", path: str = ""
) -> str:
    file = RemoteFile(name="m.onnx", url=server.url + (path or "/m.onnx"), sha256=sha256)
    return downloader.fetch(file, folder, progress=lambda _done, _total: None)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_with_its_checksum_and_its_progress(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    seen: list[tuple[int, int | None]] = []
    file = RemoteFile(name="m.onnx", url=f"{server.url}/m.onnx")

    measured = downloader.fetch(
        file, tmp_path, progress=lambda done, total: seen.append((done, total))
    )

    assert measured == SUM
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT
    assert names(tmp_path) == ["m.onnx"]
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_file_that_is_there_is_not_fetched_again(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    fetch(downloader, server, tmp_path)
    server.requests.clear()

    assert fetch(downloader, server, tmp_path) == SUM
    assert server.requests == []


def test_a_cut_connection_is_continued_where_it_broke_off(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    server.cut_after["/m.onnx"] = [300_000, 200_000]

    assert fetch(downloader, server, tmp_path) == SUM
    assert [asked for _, asked in server.requests] == ["", "bytes=300000-", "bytes=500000-"]


def test_what_arrived_is_kept_for_the_next_call(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    server.cut_after["/m.onnx"] = [300_000, 0, 0, 0]
    with pytest.raises(TransportUnavailable, match="300000 bytes have arrived, the same command"):
        fetch(downloader, server, tmp_path)
    assert not (tmp_path / "m.onnx").exists()
    server.requests.clear()

    assert fetch(downloader, server, tmp_path) == SUM
    assert [asked for _, asked in server.requests] == ["bytes=300000-"]


def test_a_file_that_changed_meanwhile_is_begun_anew(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    server.cut_after["/m.onnx"] = [300_000, 0, 0, 0]
    with pytest.raises(TransportUnavailable):
        fetch(downloader, server, tmp_path)
    other = CONTENT[::-1]
    server.files["/m.onnx"], server.etags["/m.onnx"] = other, '"two"'

    assert fetch(downloader, server, tmp_path) == hashlib.sha256(other).hexdigest()


def test_without_tag_and_checksum_nothing_is_put_together_from_two_downloads(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    server.etags.clear()
    server.cut_after["/m.onnx"] = [300_000]

    assert fetch(downloader, server, tmp_path) == SUM
    assert [asked for _, asked in server.requests] == ["", ""]


def test_with_a_checksum_a_file_without_tag_is_continued(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    server.etags.clear()
    server.cut_after["/m.onnx"] = [300_000]

    assert fetch(downloader, server, tmp_path, sha256=SUM) == SUM
    assert [asked for _, asked in server.requests] == ["", "bytes=300000-"]


def test_a_server_without_ranges_is_asked_for_the_whole_again(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    server.has_ranges = False
    server.cut_after["/m.onnx"] = [300_000]

    assert fetch(downloader, server, tmp_path, sha256=SUM) == SUM


def test_a_part_longer_than_the_file_is_thrown_away(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "m.onnx.part").write_bytes(b"x" * (len(CONTENT) + 1))

    assert fetch(downloader, server, tmp_path, sha256=SUM) == SUM


def test_another_checksum_is_refused_and_nothing_is_kept(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=rf"sha256 is {SUM}, wanted {'0' * 64}"):
        fetch(downloader, server, tmp_path, sha256="0" * 64)

    assert names(tmp_path) == []


def test_a_redirect_within_https_is_followed(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    server.redirects["/latest"] = "/m.onnx"

    assert fetch(downloader, server, tmp_path, path="/latest") == SUM


def test_a_redirect_to_http_is_refused(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    server.redirects["/latest"] = "http://127.0.0.1/m.onnx?token=hunter2"

    with pytest.raises(ConfigError, match=r"redirects to http://127.*only https is followed") as e:
        fetch(downloader, server, tmp_path, path="/latest")
    assert "hunter2" not in str(e.value)
    assert names(tmp_path) == []


def test_a_circle_of_redirects_ends(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    server.redirects["/latest"] = "/latest"

    with pytest.raises(ConfigError, match="more than 5 redirects"):
        fetch(downloader, server, tmp_path, path="/latest")


def test_plain_http_is_refused(downloader: Downloader, tmp_path: Path) -> None:
    file = RemoteFile(name="m.onnx", url="http://127.0.0.1/m.onnx")

    with pytest.raises(ConfigError, match="only https addresses are fetched"):
        downloader.fetch(file, tmp_path, progress=lambda _done, _total: None)


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (404, ConfigError, "answers 404, there is nothing at this address"),
        (401, ConfigError, "answers 401, it wants a sign-in"),
        (403, ConfigError, "answers 403, it is refused"),
        (418, ConfigError, "answers 418, it cannot be fetched"),
        (503, TransportUnavailable, "answers 503, try again later"),
    ],
)
def test_a_refusal_says_what_to_do(
    downloader: Downloader,
    server: FileServer,
    tmp_path: Path,
    status: int,
    error: type[Exception],
    message: str,
) -> None:
    server.statuses["/m.onnx"] = status

    with pytest.raises(error, match=message):
        fetch(downloader, server, tmp_path)
    assert names(tmp_path) == []


def test_a_machine_without_a_connection_is_told_so_at_once(
    downloader: Downloader, tmp_path: Path
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    file = RemoteFile(name="m.onnx", url=f"https://127.0.0.1:{port}/m.onnx")

    with pytest.raises(TransportUnavailable, match=r"no connection to 127\.0\.0\.1"):
        downloader.fetch(file, tmp_path, progress=lambda _done, _total: None)


def test_a_server_that_nobody_vouches_for_is_not_believed(
    server: FileServer, tmp_path: Path
) -> None:
    downloader = Downloader(clock=ManualClock())
    try:
        with pytest.raises(TransportUnavailable, match=r"no connection .*certificate"):
            fetch(downloader, server, tmp_path)
    finally:
        downloader.close()


def test_a_file_larger_than_the_limit_is_refused(server: FileServer, tmp_path: Path) -> None:
    downloader = Downloader(clock=ManualClock(), most_bytes=1000, trust=server.trust())
    try:
        with pytest.raises(ConfigError, match=r"1024000 bytes or more, at most 1000 .*--max-bytes"):
            fetch(downloader, server, tmp_path)
    finally:
        downloader.close()
    assert names(tmp_path) == []


def test_a_full_disk_is_told_from_a_bad_server(
    downloader: Downloader, server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "m.onnx.part").symlink_to("/dev/full")  # every write there finds no space

    with pytest.raises(StorageFull, match=r"m\.onnx\.part: the disk is full; make room"):
        fetch(downloader, server, tmp_path)
    assert not (tmp_path / "m.onnx").exists()


def test_a_small_document_is_read(downloader: Downloader, server: FileServer) -> None:
    server.files["/api"] = b'{"sha": "1"}'

    assert downloader.read_text(f"{server.url}/api") == '{"sha": "1"}'
    with pytest.raises(ConfigError, match="answers more than 5 bytes"):
        downloader.read_text(f"{server.url}/api", most_bytes=5)
