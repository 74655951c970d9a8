"""Many RTSP cameras for a long time (``python -m tests.bench.many_cameras``).

A whole ``vigil run`` and as many cameras (``tests/quirkcam``) on the same machine, each playing the
drawn yard in which somebody breaks in once a round; they begin one after the other, so that their
visitors come at different times. Every few seconds each stage's memory and processor time and each
camera's account of frames are read; at the end the alerts with the times that they carry. Prints
Markdown; the exit status says whether the bars hold.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from tqdm import tqdm

from contracts.clock import SystemClock
from contracts.frames import FrameOutcome
from tests.bench.__main__ import machine
from tests.chaos.site import Site, yard_clip
from tests.quirkcam import QuirkCam
from tests.quirkcam.clips import Clip, media_of

CLOCK: Final = SystemClock()
SAMPLE_S: Final = 5.0
SETTLED_S: Final = 180.0
"""Memory is compared from here on: before, caches, pre-rolls and backgrounds fill."""
GROWTH_MAX: Final = 0.05
VERDICT_MS_MAX: Final = 500.0
PROGRAM_MS_MAX: Final = 20.0
BY_POLICY: Final = frozenset(
    {
        FrameOutcome.QUEUE_FULL,
        FrameOutcome.OVERTAKEN,
        FrameOutcome.EXPIRED,
        FrameOutcome.SHED,
    }
)
"""Losses that are a policy: newer frames were there (in the queue, or in its place in shared
memory), it was too old when it was its turn, or the machine was too busy for all."""
GOING: Final = frozenset({"live", "connecting", "handshake", "wait_key_frame"})
POOR: Final = "degraded"
_TOLD: Final = re.compile(r"verdict told .*since_detected_s=([0-9.]+)")
ROUND_S: Final = 80.0
"""The whole story of the yard: a minute in which little happens, and somebody who breaks in."""


@dataclass(slots=True)
class Watched:
    """What was read while it ran.

    Attributes:
        at_s: Of each sample, since the cameras were live.
        rss_mb: By stage, at each sample; all processes of a stage together.
        cpu_s: By stage, from the first sample to the last.
        received, lost: Frames of all cameras; lost ones by cause.
        unbalanced: Cameras whose account of frames does not add up.
        breaks, poor: How often a connection was lost, and how often it was called degraded.
        verdicts_ms: From each event to its alert with the first verdict, in order.
        alerts: As the API tells them.
    """

    at_s: list[float] = field(default_factory=list)
    rss_mb: dict[str, list[float]] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    received: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    unbalanced: list[str] = field(default_factory=list)
    breaks: int = 0
    poor: int = 0
    verdicts_ms: list[float] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def growth(self, stage: str) -> float:
        """Return by how much a stage's memory grew from the first fifth to the last, a share."""
        values = [
            mb for at_s, mb in zip(self.at_s, self.rss_mb[stage], strict=True) if at_s >= SETTLED_S
        ]
        fifth = max(1, len(values) // 5)
        first, last = statistics.median(values[:fifth]), statistics.median(values[-fifth:])
        return last / first - 1

    def milliseconds(self, name: str) -> list[float]:
        """Return one of the times that alerts with a finding carry, in order."""
        return sorted(
            float(alert["timing"][name])
            for alert in self.alerts
            if not alert["timing"]["late"] and alert["timing"][name] is not None
        )


def stage_of(process: psutil.Process) -> str:
    """Return what a child of ``vigil run`` does; an empty string if it has just ended."""
    try:
        command = process.cmdline()
    except psutil.Error:
        return ""
    if "--only" in command:
        return command[command.index("--only") + 1]
    return "redis" if any("redis-server" in word for word in command) else "supervisor"


def sample(site: Site) -> dict[str, tuple[float, float]]:
    """Return megabytes and seconds of processor time of each stage."""
    root = psutil.Process(site.vigil.pid)
    found: dict[str, tuple[float, float]] = {}
    for process in (root, *root.children(recursive=True)):
        stage = stage_of(process)
        try:
            mb, times = process.memory_info().rss / 1e6, process.cpu_times()
        except psutil.Error:
            continue
        before = found.get(stage, (0.0, 0.0))
        found[stage] = (before[0] + mb, before[1] + times.user + times.system)
    found.pop("", None)
    return found


def watch(site: Site, names: list[str], *, seconds: float) -> Watched:
    """Read everything for so long."""
    watched = Watched()
    began_s = CLOCK.monotonic_s()
    first = sample(site)
    for _ in tqdm(range(int(seconds / SAMPLE_S)), desc="watching", unit="sample"):
        CLOCK.sleep(max(0.0, began_s + (len(watched.at_s) + 1) * SAMPLE_S - CLOCK.monotonic_s()))
        now = sample(site)
        watched.at_s.append(CLOCK.monotonic_s() - began_s)
        for stage, (mb, _) in now.items():
            watched.rss_mb.setdefault(stage, [0.0] * (len(watched.at_s) - 1)).append(mb)
    last = sample(site)
    watched.cpu_s = {stage: last[stage][1] - first.get(stage, (0, 0))[1] for stage in last}
    for name in names:
        frames = site.status(name)["frames"]
        watched.received += frames["received"]
        watched.lost.update(frames["dropped_by_reason"])
        if not frames["balanced"]:
            watched.unbalanced.append(name)
        changes = site.changes(name)
        watched.poor += changes.count(POOR)
        watched.breaks += sum(phase not in GOING | {POOR} for phase in changes)
    told = _TOLD.finditer(site.vigil.text)
    watched.verdicts_ms = sorted(1000 * float(found.group(1)) for found in told)
    watched.alerts = all_alerts(site)
    return watched


def all_alerts(site: Site) -> list[dict[str, Any]]:
    """Return every alert, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        where: dict[str, str] = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        answer = site.vigil.client.get("/api/v1/alerts", params=where)
        answer.raise_for_status()
        page = answer.json()
        found += page["items"]
        cursor = page.get("next_cursor") or None
    return found


def percentile(ordered: list[float], percent: int) -> float:
    """Return the value below which so many percent lie; NaN of nothing."""
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def report(watched: Watched, *, cameras: int, reasoner: str, minutes: float) -> tuple[str, bool]:
    """Return the tables and whether the bars hold."""
    seconds = watched.at_s[-1]
    about = machine()
    lines = [
        f"{about['cpu']}, {about['cores']} cores, Python {about['python']}, commit "
        f"{about['commit']}, load {about['load']:.1f} at the end; {cameras} cameras 640x360, "
        f"{yard_of_bench().fps} pictures a second, for {minutes:g} min, reasoner {reasoner}.",
        "",
        "| stage | CPU, % of a core | CPU a camera, % | memory, MB | its growth |",
        "|---|--:|--:|--:|--:|",
    ]
    holds = True
    for stage, spent_s in sorted(watched.cpu_s.items(), key=lambda pair: -pair[1]):
        share = 100 * spent_s / seconds
        growth = watched.growth(stage) if seconds > 2 * SETTLED_S else float("nan")
        holds &= not growth > GROWTH_MAX
        mb = watched.rss_mb[stage][-1]
        lines.append(
            f"| {stage} | {share:.1f} | {share / cameras:.2f} | {mb:.0f} | {growth:+.1%} |"
        )
    policy = {cause: count for cause, count in watched.lost.items() if cause in BY_POLICY}
    others = {cause: n for cause, n in watched.lost.items() if cause not in BY_POLICY and n}
    holds &= not others and not watched.unbalanced and not watched.breaks
    lines += [
        "",
        f"- {watched.received} frames received; left out by policy {policy or 'none'}, otherwise "
        f"{others or 'none'}; accounts that do not add up: {len(watched.unbalanced)}.",
        f"- {watched.breaks} connections lost, {watched.poor} times one was degraded.",
    ]
    spans = watched.milliseconds("reason_ms")
    late = sum(alert["timing"]["late"] for alert in watched.alerts)
    holds &= percentile(watched.verdicts_ms, 95) <= VERDICT_MS_MAX
    holds &= reasoner != "program" or percentile(spans, 95) <= PROGRAM_MS_MAX
    lines += [
        f"- {len(watched.alerts)} alerts, {late} of them without a verdict in the end.",
        "",
        "| milliseconds | median | 95 % | most |",
        "|---|--:|--:|--:|",
        *(
            f"| {name} | {percentile(values, 50):.0f} | {percentile(values, 95):.0f} "
            f"| {values[-1] if values else float('nan'):.0f} |"
            for name, values in (
                ("from the picture to the event", watched.milliseconds("detect_ms")),
                ("from the event to the alert, as first told", watched.milliseconds("publish_ms")),
                ("from the event to the alert with its verdict", watched.verdicts_ms),
                ("reasoning of it", spans),
            )
        ),
    ]
    return "\n".join(lines), holds


def yard_of_bench() -> Clip:
    """Return what each camera plays."""
    return yard_clip(fps=25, begins_s=0.0, duration_s=ROUND_S)


def main() -> int:
    """Run, print, say whether the bars hold."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.many_cameras",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cameras", type=int, default=16, help="how many (16)")
    parser.add_argument("--minutes", type=float, default=30.0, help="for how long (30)")
    parser.add_argument("--reasoner", default="program", help="program, core or a path of weights")
    parser.add_argument("--json", type=Path, help="also keep what was read in this file")
    chosen = parser.parse_args()
    media = media_of(yard_of_bench())
    names = [f"camera-{number:02d}" for number in range(1, chosen.cameras + 1)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        text = f"[reasoning]\nreasoner = {json.dumps(chosen.reasoner)}\n"
        site = stack.enter_context(Site.running(folder, text))
        for name in names:
            camera = stack.enter_context(QuirkCam(media))
            site.add(name, camera.url, has_rules=True)
            CLOCK.sleep(ROUND_S / chosen.cameras)
        for name in names:
            site.until_live(name, within_s=60.0)
        watched = watch(site, names, seconds=60 * chosen.minutes)
    text, holds = report(
        watched, cameras=chosen.cameras, reasoner=chosen.reasoner, minutes=chosen.minutes
    )
    print(text)  # noqa: T201  # the command's output
    if chosen.json:
        chosen.json.write_text(json.dumps({"rss_mb": watched.rss_mb, "at_s": watched.at_s}))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
