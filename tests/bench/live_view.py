"""Publishing and watching by WebRTC (``python -m tests.bench.live_view``).

A whole ``vigil run`` with its stages apart, and headless Chromium on the same machine: one page
publishes a picture of the time by WHIP, others watch it back by WHEP and read the time from the
pixels. Prints Markdown tables; the exit status says whether the bars hold.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil
from playwright.sync_api import Browser, BrowserContext, Page

from contracts.clock import SystemClock
from tests.bench.__main__ import machine
from tests.e2e.system import RunningVigil, wait_for
from tests.fakes.chromium import chromium
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.time_code import PUBLISH, WATCH

FIRST_MS_MAX: Final = 2000.0
P95_MS_MAX: Final = 500.0
SETTLED: Final = 30
"""Pictures after the first: those before show what was published before somebody watched."""
CLOCK: Final = SystemClock()


@dataclass(frozen=True, slots=True)
class View:
    """What one viewer saw: from asking to the first picture, and each picture's age."""

    first_ms: float
    ages_ms: tuple[float, ...]
    unreadable: int
    size: str

    def share(self, percent: int) -> float:
        ordered = sorted(self.ages_ms)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


class Site:
    """A running Vigil and a browser that is signed in."""

    def __init__(self, vigil: RunningVigil, browser: Browser) -> None:
        self.vigil = vigil
        self.base = str(vigil.client.base_url).rstrip("/")
        self._context: BrowserContext = browser.new_context()
        self._context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "url": self.base}
                for cookie in vigil.client.cookies.jar
            ]
        )

    def page(self) -> Page:
        page = self._context.new_page()
        page.goto(f"{self.base}/account")
        return page

    def phase(self, camera_id: str) -> str:
        answer = self.vigil.client.get(f"/api/v1/cameras/{camera_id}/status").json()
        phase: str = answer["phase"]
        return phase

    def is_live(self, camera_id: str) -> bool:
        return self.phase(camera_id) == "live"

    def publish(self, page: Page, camera_id: str, size: tuple[int, int]) -> float:
        """Publish the time; seconds from the offer until the camera is live."""
        began_s = CLOCK.monotonic_s()
        page.evaluate(PUBLISH, [f"/api/v1/cameras/{camera_id}/whip", list(size)])
        wait_for(partial(self.is_live, camera_id), within_s=20, what="a live camera")
        return CLOCK.monotonic_s() - began_s

    def watch(self, page: Page, camera_id: str, *, pictures: int) -> View:
        """Watch so many pictures whose time can be read (any, for a camera without)."""
        found: dict[str, Any] = page.evaluate(
            WATCH, [f"/api/v1/cameras/{camera_id}/whep", pictures, 40_000]
        )
        hang_up(page)
        assert found["firstMs"] is not None, f"{camera_id}: no picture came"
        return View(
            first_ms=found["firstMs"],
            ages_ms=tuple(found["latenciesMs"][SETTLED:]),
            unreadable=found["unreadable"],
            size=found["sizes"][-1],
        )

    def ingest_load(self, seconds: float) -> float:
        """Share of one core that the ingest stage takes."""
        process = psutil.Process(self.vigil.stage_pids()["ingest"])
        process.cpu_percent()
        CLOCK.sleep(seconds)
        return process.cpu_percent() / 100


def hang_up(page: Page) -> None:
    page.evaluate(
        "() => { window.watched.close(); return fetch(window.watchSession, { method: 'DELETE' }); }"
    )


@contextmanager
def running(cameras: Sequence[tuple[str, str]]) -> Iterator[Site]:
    """Run Vigil with cameras of these ids and URLs."""
    text = "".join(
        f"[[cameras]]\nid = {json.dumps(name)}\nurl = {json.dumps(url)}\n" for name, url in cameras
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        vigil = RunningVigil(folder / "data", text)
        stack.callback(vigil.stop)
        browser = stack.enter_context(chromium())
        yield Site(vigil, browser)


def glass_to_glass(site: Site, *, tries: int, pictures: int) -> tuple[list[str], bool]:
    """Table of publishing and watching, by size of picture; whether the bars hold."""
    lines = [
        "| picture | live after | first picture (median, worst) | p50 | p95 | worst | unreadable |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    holds = True
    for size in ((640, 360), (1280, 720)):
        page = site.page()
        live_s = site.publish(page, "phone", size)
        viewer = site.page()
        views = [site.watch(viewer, "phone", pictures=pictures) for _ in range(tries)]
        firsts = [view.first_ms for view in views]
        whole = View(
            first_ms=max(firsts),
            ages_ms=tuple(age for view in views for age in view.ages_ms),
            unreadable=sum(view.unreadable for view in views),
            size=views[-1].size,
        )
        holds &= max(firsts) <= FIRST_MS_MAX and whole.share(95) <= P95_MS_MAX
        lines.append(
            f"| {whole.size} | {live_s:.2f} s | {statistics.median(firsts):.0f} ms, "
            f"{max(firsts):.0f} ms | {whole.share(50):.0f} ms | {whole.share(95):.0f} ms | "
            f"{max(whole.ages_ms):.0f} ms | {whole.unreadable} of "
            f"{len(whole.ages_ms) + whole.unreadable} |"
        )
        page.evaluate("() => fetch(window.session, { method: 'DELETE' })")
        page.close()
        viewer.close()
        wait_for(lambda: site.phase("phone") == "waiting", within_s=20, what="a publisher's end")
    return lines, holds


def other_sources(site: Site) -> list[str]:
    lines = ["| camera | passed on | first picture |", "|---|---|--:|"]
    for camera_id, how in (("packets", "its own packets"), ("reordered", "encoded once for all")):
        wait_for(partial(site.is_live, camera_id), within_s=30, what=camera_id)
        viewer = site.page()
        view = site.watch(viewer, camera_id, pictures=10)
        lines.append(f"| MP4 {camera_id} | {how} | {view.first_ms:.0f} ms |")
        viewer.close()
    return lines


def load(site: Site) -> list[str]:
    """Table of what viewers cost the ingest process."""
    page = site.page()
    site.publish(page, "phone", (640, 360))
    lines = ["| viewers of one camera, 640 x 360, 30 a second | ingest process, of one core |"]
    lines.append("|--:|--:|")
    viewers: list[Page] = []
    for wanted in (0, 1, 4):
        while len(viewers) < wanted:
            viewer = site.page()
            viewer.evaluate(WATCH, ["/api/v1/cameras/phone/whep", 5, 10_000])
            viewers.append(viewer)
        lines.append(f"| {wanted} | {site.ingest_load(10.0):.0%} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.live_view", description=__doc__)
    parser.add_argument("--tries", type=int, default=5, help="viewers one after the other (5)")
    parser.add_argument("--pictures", type=int, default=300, help="read by each (300)")
    arguments = parser.parse_args()
    where = machine()
    cameras = (
        ("phone", "webrtc:"),
        ("packets", str(walker_path(WalkerClip(duration_s=120.0)))),
        ("reordered", str(walker_path(WalkerClip(duration_s=120.0, b_frames=2)))),
    )
    show(
        f"{where['cpu']}, {where['cores']} cores, Python {where['python']}, commit "
        f"{where['commit']}, load {where['load']:.1f}"
    )
    with running(cameras[:1]) as site:
        lines, holds = glass_to_glass(site, tries=arguments.tries, pictures=arguments.pictures)
        show(*lines)
        show(*load(site))
    with running(cameras[1:]) as site:
        show(*other_sources(site))
    return 0 if holds else 1


def show(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
