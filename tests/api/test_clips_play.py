"""What a publisher killed at every step left behind, played in a real browser.

The clips are H.264 in MP4, as cameras send it. Not every build of Chromium decodes that; a test
asks this one before anything is played.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from alerts.history import incidents
from alerts.history.database import Database
from alerts.history.evidence_store import FolderEvidenceStore, PutStep, path_of
from alerts.history.sql import migrate, open_history
from contracts.incidents import EvidenceItem, EvidenceKind
from tests.alerts.builders import alert, incident, told
from tests.alerts.history.publishing import STEPS, publish_in_a_process
from tests.fakes.archive import joined
from tests.fakes.chromium import NEEDS_CHROMIUM
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START
from tests.fakes.mp4_parts import pictures_in, whole_parts
from tests.fakes.web import FakeWeb
from tests.fakes.web_server import RunningServer

CLIP = "/api/v1/events/ev_1/clip.mp4"
TIMES = 20
PICTURES = 40
PART_S = 1.0

pytestmark = NEEDS_CHROMIUM

PLAY = """async ([url, rate]) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = url;
  document.body.replaceChildren(video);
  const shown = [];
  const note = (_, { mediaTime }) => {
    shown.push(mediaTime);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  const how = new Promise((resolve) => {
    video.onended = () => resolve("ended");
    video.onerror = () => resolve(`error ${video.error.code}: ${video.error.message}`);
    setTimeout(() => resolve("did not end"), 30000);
  });
  video.playbackRate = rate;
  await video.play().catch(() => {});
  return {
    how: await how,
    reachedS: video.currentTime,
    durationS: video.duration,
    decoded: video.getVideoPlaybackQuality().totalVideoFrames,
    shown,
  };
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivor:
    """A file that was left, and where the API has it.

    Attributes:
        ends_s: Where each of its parts ends in the clip's time.
        pictures: That decode of it, counted without a browser.
    """

    ref: str
    ends_s: list[float]
    pictures: int


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def killed_at(folder: Path, step: str, *, seed: int) -> list[Path]:
    """Publish the clip of ``ev_1`` up to a step; the files that are left."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'vigil.db'}"
    migrate(url)
    history = open_history(url)
    history.alerts.store_alert(*told(alert(incident("ev_1", evidence=()))))
    history.close()
    video = walker_path(WalkerClip(width=640, height=360, seed=seed))
    assert publish_in_a_process(folder, video, step) == -9
    return [path for path in (folder / "evidence").rglob("*") if path.is_file()]


def named(folder: Path, file: Path) -> Survivor | None:
    """Let the incident name what was left, as a repeat would; None where nothing plays.

    A ``.part`` has no name that the API takes and may end in the middle of a picture: its whole
    parts are kept under a hash of their own.
    """
    store = FolderEvidenceStore(folder / "evidence")
    ends = whole_parts(file.read_bytes())
    if not ends:
        return None
    content = file.read_bytes()[: ends[-1]]
    ref = store.put(content, suffix="mp4") if file.suffix == ".part" else file.name
    database = Database(f"sqlite:///{folder / 'vigil.db'}")
    with database.write() as connection:
        clip = EvidenceItem(kind=EvidenceKind.CLIP, ref=ref, captured_at=START)
        incidents.add_evidence(connection, "ev_1", clip)
    pictures = pictures_in(path_of(folder / "evidence", ref))
    ends_s = [PART_S * (index + 1) for index in range(len(ends))]
    return Survivor(ref=ref, ends_s=ends_s, pictures=pictures)


def played(page: Page, folder: Path, *, rate: float) -> dict[str, Any]:
    """Play the clip of ``ev_1`` from the site in ``folder``, signed in, through its API."""
    history = open_history(f"sqlite:///{folder / 'vigil.db'}")
    web = FakeWeb(history=joined(history))
    app = web.app(evidence=FolderEvidenceStore(folder / "evidence"))
    try:
        with RunningServer(app) as server:
            page.context.clear_cookies()
            page.goto(f"{server.url}/sign-in#link={web.link_secret()}")
            page.wait_for_url(f"{server.url}/")
            found: dict[str, Any] = page.evaluate(PLAY, [CLIP, rate])
            page.goto("about:blank")
            return found
    finally:
        history.close()


def check(found: dict[str, Any], survivor: Survivor) -> None:
    assert found["how"] == "ended"
    assert found["decoded"] == survivor.pictures
    assert found["durationS"] == pytest.approx(survivor.ends_s[-1], abs=0.01)
    assert all(found["reachedS"] > end_s - 0.01 for end_s in survivor.ends_s)


def test_this_browser_decodes_what_cameras_send(page: Page) -> None:
    page.set_content("<video>")
    can_play = (
        'codec => document.querySelector("video").canPlayType(`video/mp4; codecs="${codec}"`)'
    )

    assert page.evaluate(can_play, "avc1.42E01E") == "probably"


@pytest.mark.parametrize("step", STEPS)
def test_what_a_publisher_killed_at_a_step_left_plays(
    step: str, page: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    files = killed_at(folder, step, seed=1)
    assert len(files) == (step != PutStep.FOLDERS_MADE)
    for file in files:
        survivor = named(folder, file)
        if step == PutStep.PART_OPENED:
            assert survivor is None
            continue
        assert survivor is not None
        assert (survivor.pictures == PICTURES) == (step != PutStep.CHUNK_WRITTEN)

        found = played(page, folder, rate=2.0)

        check(found, survivor)
        starts_s = [end_s - PART_S for end_s in survivor.ends_s]
        for start_s, end_s in zip(starts_s, survivor.ends_s, strict=True):
            assert any(start_s <= at_s < end_s for at_s in found["shown"]), "each part was shown"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("step", STEPS)
def test_and_so_it_does_each_of_twenty_times(step: str, page: Page, tmp_path: Path) -> None:
    for time in range(TIMES):
        folder = tmp_path / f"site{time}"
        for file in killed_at(folder, step, seed=time + 1):
            survivor = named(folder, file)
            assert (survivor is None) == (step == PutStep.PART_OPENED)
            if survivor is not None:
                check(played(page, folder, rate=8.0), survivor)
