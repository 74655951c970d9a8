"""What decoding costs, and what is seen of more cameras than there is time to decode.

``cost``: processor time of a camera's loop (with all that ``vigil run`` has but Redis), paced as
the camera plays, with all pictures decoded and with key pictures alone. ``site``: a whole ``vigil
run`` on one core, more cameras than it can decode, played from another core; what is said of them
and how many of their frames are analysed.
"""

import argparse
import os
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.settings import IngestSettings, QueueSettings
from ingest.camera import CameraIngest
from ingest.clip_ring import ClipRing
from ingest.local_queue import LocalFrameQueue
from ingest.status import StatusKeeper
from tests.chaos.site import Site
from tests.fakes.ports import InMemoryCameras
from tests.quirkcam import QuirkCam
from tests.quirkcam.clips import Clip, media_of, path_of

SUB: Final = Clip(width=640, height=360, fps=25, duration_s=16.0, key_every_s=2.0, bit_rate=800_000)
MAIN: Final = Clip(
    width=1920, height=1080, fps=25, duration_s=8.0, key_every_s=2.0, bit_rate=4_000_000
)
FAST: Final = Clip(
    width=1920, height=1080, fps=25, duration_s=8.0, key_every_s=1.0, bit_rate=4_000_000
)
WARM_UP_S: Final = 5.0
CORES: Final = ("0", "1")
"""Of the site, and of its cameras."""


def cost(clip: Clip, *, cameras: int, seconds: float, is_thinned: bool) -> tuple[float, float]:
    """Return the percentage of a core that a camera takes, and its frames a second."""
    clock, stop = SystemClock(), threading.Event()
    queue = LocalFrameQueue(QueueSettings(frames_per_camera=1))
    for number in range(cameras):
        source = SourceSettings(
            source_type=SourceType.FILE, url=str(path_of(clip)), is_looped=True, is_paced=True
        )
        camera = Camera(camera_id=f"c{number}", source=source)
        status = StatusKeeper(
            camera.camera_id, directory=InMemoryCameras(), stall_after_s=60.0, clock=clock
        )
        ingest = CameraIngest(
            camera,
            writer=queue,
            ring=ClipRing(keep_s=10.0),
            status=status,
            settings=IngestSettings(),
            clock=clock,
        )
        if is_thinned:
            now_s = clock.monotonic_s()
            for at_s in (now_s - 10.0, now_s):
                ingest._thinning.look(late_s=9.0, waiting=0.0, now_s=at_s)  # a file is never late
        threading.Thread(target=ingest.run, args=(stop,), daemon=True).start()
    time.sleep(WARM_UP_S)
    before, frames = resource.getrusage(resource.RUSAGE_SELF), queue.account("c0").received
    began_s = time.monotonic()
    time.sleep(seconds)
    took_s = time.monotonic() - began_s
    after = resource.getrusage(resource.RUSAGE_SELF)
    stop.set()
    spent_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 100 * spent_s / took_s / cameras, (queue.account("c0").received - frames) / took_s


def site(cameras: int, *, seconds: float) -> list[str]:
    """Return what was said and analysed of so many cameras."""
    os.sched_setaffinity(0, {int(CORES[1])})
    media = media_of(FAST)
    states: Counter[str] = Counter()
    loads: list[float] = []
    ages_s: list[float] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        vigil = stack.enter_context(Site.running(folder, prefix=("taskset", "-c", CORES[0])))
        names = [f"c{number}" for number in range(cameras)]
        for name in names:
            vigil.add(name, stack.enter_context(QuirkCam(media)).url)
        time.sleep(4 * WARM_UP_S)
        before, began_s = counted(vigil, names), time.monotonic()
        while time.monotonic() - began_s < seconds:
            time.sleep(3.0)
            loads.append(os.getloadavg()[0])
            for name in names:
                status = vigil.status(name)
                states[str(status.get("state"))] += 1
                if (age_s := status.get("last_frame_age_s")) is not None:
                    ages_s.append(age_s)
        took_s, after = time.monotonic() - began_s, counted(vigil, names)
        steps = Counter(step for name in names for step in vigil.changes(name))
    ages_s.sort()
    shares = {state: f"{count / states.total():.0%}" for state, count in states.items()}
    rates = {
        what: round((after[what] - before[what]) / took_s / cameras, 2) for what in sorted(after)
    }
    return [
        f"{cameras} cameras, load {min(loads):.0f} to {max(loads):.0f}: {shares}",
        f"frames a second a camera: {rates}",
        f"age of the newest: {ages_s[len(ages_s) // 2]:.1f} s, "
        f"{ages_s[int(0.95 * len(ages_s))]:.1f} s (95 %)",
        f"phases: {dict(steps)}",
    ]


def counted(vigil: Site, names: list[str]) -> Counter[str]:
    """How many frames were received and analysed of all of them."""
    found: Counter[str] = Counter()
    for name in names:
        frames: dict[str, Any] = vigil.status(name).get("frames", {})
        found.update({what: int(frames.get(what, 0)) for what in ("received", "analysed")})
    return found


def main() -> None:
    """Run one of both and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("cost", "site"))
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    if arguments.what == "site":
        sys.stdout.write("\n".join([*site(arguments.cameras, seconds=arguments.seconds), ""]))
        return
    for clip, cameras in ((SUB, 8), (MAIN, 2)):
        for is_thinned in (False, True) * 2:
            share, fps = cost(
                clip, cameras=cameras, seconds=arguments.seconds, is_thinned=is_thinned
            )
            decoded = "key pictures" if is_thinned else "all"
            sys.stdout.write(
                f"{clip.width}x{clip.height}, {cameras} cameras, {decoded}: {share:.2f} % of a "
                f"core a camera, {fps:.2f} frames a second\n"
            )
            sys.stdout.flush()
            time.sleep(1.0)


if __name__ == "__main__":
    main()
