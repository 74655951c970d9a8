"""``vigil backtest``: what rules would have said of the last hours or days."""

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from tqdm import tqdm

from api.backtest import FIRST, Question, Tried, answer, question_of, rules_named
from api.commands.analyze import quiet_logging
from api.console import complain, say
from api.track_folder import FolderTrackStore, shelf_of
from api.wiring.cameras import load_rules
from api.wiring.first_start import known_scenes
from api.wiring.storage import track_folder
from contracts.clock import Clock, SystemClock
from contracts.errors import ConfigError
from contracts.rules import SceneRules
from contracts.settings import Settings
from vision.backtest.answer import BackTester

_DESCRIPTION: Final = """\
Say what would have fired if other rules, or the present ones, had watched the last hours or days.
Vigil keeps the tracks of everything that it follows (vision.track_days); rules are run over them
again, by their own code, at some thousand times the speed of life. Nothing is changed by it.

  vigil backtest                                   the last 24 hours, all cameras, rules as they are
  vigil backtest --set waiting.threshold_s=60      ... another threshold, against the present one
  vigil backtest gate --days 7 --rules new.json    a week of one camera, rules of a file against now
  vigil backtest --set waiting.labels=person,car --set waiting.zone=drive --json answer.json
"""
_NOTES: Final = """\
An event is what one rule says once; incidents are what people would have been told: events of one
situation go together, and an incident counts for each rule that has part in it. "now" is what the
camera's present rules make of the same time, and more or fewer is against that. With --set only the
rules that it names are run, both ways (and sequences with them); --only chooses others.

Rules that look at pixels (fall, fight, abandoned, removed, fire, smoke, tamper) cannot be told from
tracks. They are listed as not replayed; that does not mean that nothing happened.
The rules can only say what was followed: what the detector missed then is missed again.

Exit status: 0 answered, 1 answered but an archive file was damaged, 2 the question must be changed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = _DESCRIPTION
    parser.epilog = _NOTES
    parser.add_argument("cameras", nargs="*", metavar="CAMERA", help="ids; none means all")
    span = parser.add_argument_group("which time (the last 24 hours)")
    span.add_argument("--hours", type=float, metavar="N", help="the last N hours")
    span.add_argument("--days", type=float, metavar="N", help="the last N days")
    span.add_argument(
        "--from", dest="start", metavar="TIME",
        help="from then on, such as 2026-11-20T22:00; the site's time unless it has an offset",
    )  # fmt: skip
    span.add_argument("--to", dest="end", metavar="TIME", help="until then; now if left out")
    tried = parser.add_argument_group("which rules (those that each camera has)")
    tried.add_argument("--rules", type=Path, metavar="FILE", help="try the rules of this file")
    tried.add_argument(
        "--set", action="append", default=[], metavar="RULE.NAME=VALUE", dest="changes",
        help="try this value; a parameter, or zone, line, labels, severity, enabled, schedule",
    )  # fmt: skip
    tried.add_argument("--only", nargs="+", default=[], metavar="RULE", help="run only these")
    parser.add_argument(
        "--first", type=int, default=FIRST, metavar="N", help=f"list so many events ({FIRST})"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write everything here as JSON; - prints it"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print what would have fired; 1 if part of the archive could not be read."""
    quiet_logging(arguments, settings)
    if arguments.first < 0:
        raise ConfigError(f"--first must be 0 or more, got {arguments.first}")
    clock = SystemClock()
    span = span_of(arguments, ZoneInfo(settings.time_zone), clock)
    shelf = shelf_of(track_folder(settings), clock)
    questions = _questions(arguments, known_scenes(settings), shelf, span)
    answers = list(_answers(questions, settings))
    if not any(one["frames"] for one in answers):
        raise ConfigError(_nothing_there(questions, shelf))
    document = {"time_zone": settings.time_zone, "cameras": answers}
    if arguments.json is not None:
        _write(arguments.json, document)
    if arguments.json != Path("-"):
        for one in answers:
            _print(one, settings.time_zone)
    damaged = [(one["camera"], file) for one in answers for file in one["damaged"]]
    for _, file in damaged:
        complain(f"vigil backtest: {file['file']}: {file['reason']}; what it held is left out")
    return 1 if damaged else 0


def span_of(
    arguments: argparse.Namespace, site: ZoneInfo, clock: Clock
) -> tuple[datetime, datetime]:
    """Return the span of time that is asked about. Raises ConfigError."""
    given = [arguments.hours is not None, arguments.days is not None, arguments.start is not None]
    if sum(given) > 1:
        raise ConfigError("give one of --hours, --days and --from")
    end = clock.now() if arguments.end is None else _moment(arguments.end, "--to", site)
    if arguments.start is not None:
        start = _moment(arguments.start, "--from", site)
    else:
        hours = 24.0 * arguments.days if arguments.days is not None else arguments.hours
        hours = 24.0 if hours is None else hours
        if not 0 < hours <= 24 * 3660:
            raise ConfigError("--hours and --days must be above 0, and ten years at most")
        start = end - timedelta(hours=hours)
    if start >= end:
        raise ConfigError(
            f"the time asked about is empty: it begins {start:%Y-%m-%d %H:%M} and ends "
            f"{end:%Y-%m-%d %H:%M} (UTC)"
        )
    return start, end


def _moment(text: str, option: str, site: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"{option} {text[:40]!r}: must be a time such as 2026-11-20T22:00 or 2026-11-20"
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=site)).astimezone(UTC)


def _questions(
    arguments: argparse.Namespace,
    scenes: dict[str, SceneRules],
    shelf: FolderTrackStore,
    span: tuple[datetime, datetime],
) -> list[Question]:
    rules = load_rules(arguments.rules) if arguments.rules else None
    kept = shelf.cameras()
    known = sorted(scenes if rules is None else {*scenes, *kept})
    if unknown := sorted(set(arguments.cameras) - set(known)):
        without = " (its tracks are kept, but not its rules: give --rules)"
        raise ConfigError(
            f"there is no camera {unknown[0]!r}{without if unknown[0] in kept else ''}; "
            f"there are {', '.join(known) or 'none'}"
        )
    chosen = arguments.cameras or known
    if rules is None and not arguments.cameras:
        named = rules_named(arguments.changes) | set(arguments.only)
        # A rule that is named is asked about where there is one.
        has_it = [name for name in chosen if named <= _ids(scenes[name])]
        chosen = has_it or chosen
    tried = Tried(rules=rules, settings=arguments.changes, only=arguments.only)
    return [
        question_of(
            name,
            scenes.get(name, SceneRules()),
            tried,
            span=span,
            first=arguments.first,
        )
        for name in dict.fromkeys(chosen)
    ]


def _ids(scene: SceneRules) -> set[str]:
    return {rule.rule_id for rule in scene.rules}


def _answers(questions: Sequence[Question], settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield an answer for each question, cameras side by side on the cores that there are."""
    ask = partial(_ask, settings=settings)
    workers = min(len(questions), len(os.sched_getaffinity(0)))
    bar = partial(
        tqdm, unit="camera", total=len(questions), leave=False,
        disable=not sys.stderr.isatty(),
    )  # fmt: skip
    if workers < 2:
        yield from bar(map(ask, questions))
        return
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from bar(pool.map(ask, questions))


def _ask(question: Question, *, settings: Settings) -> dict[str, Any]:
    site = ZoneInfo(settings.time_zone)
    tester = BackTester(
        shelf_of(track_folder(settings), SystemClock()),
        close_after_s=settings.vision.close_after_s,
        time_zone=site,
    )
    return answer(question, tester, time_zone=site)


def _nothing_there(questions: Sequence[Question], shelf: FolderTrackStore) -> str:
    """Return a sentence about a span without a frame, and what there is instead."""
    first = questions[0]
    names = ", ".join(question.camera_id for question in questions) or "any camera"
    spans = [span for question in questions if (span := shelf.span(question.camera_id))]
    there = "nothing is stored of them yet"
    if spans:
        there = (
            f"stored is {min(start for start, _ in spans):%Y-%m-%d %H:%M} to "
            f"{max(end for _, end in spans):%Y-%m-%d %H:%M}"
        )
    return (
        f"no tracks of {names} are stored between {first.start:%Y-%m-%d %H:%M} and "
        f"{first.end:%Y-%m-%d %H:%M} (UTC); {there}"
    )


def _print(one: dict[str, Any], time_zone: str) -> None:
    hours = one["watched_s"] / 3600
    say(f"{one['camera']}: {one['from']} to {one['to']}, {hours:.1f} h of it watched")
    if not one["frames"]:
        say("  no tracks are stored of this time\n")
        return
    told = [rule for rule in one["rules"] if "not_replayed" not in rule]
    for line in _table(told, time_zone, is_compared=one["is_compared"]):
        say(f"  {line}")
    say(f"  incidents in all: {one['incidents']}{_against(one, 'incidents')}")
    for rule in one["rules"]:
        if "not_replayed" in rule:
            say(f"  not replayed: {rule['rule']} ({rule['not_replayed']})")
    if one["forced_cuts"]:
        say(
            f"  busy: tracks were cut apart {one['forced_cuts']} time(s); who was there then may "
            "count twice or be missed"
        )
    count = sum(rule["events"] for rule in told)
    if one["first"]:
        say(f"  first {len(one['first'])} of {count} events:")
    for event in one["first"]:
        say(
            f"    {event['at']}  {event['rule']}  {event['track']}  {event['value']:g} "
            f"{event['unit']} (threshold {event['threshold']:g})  {event['incident'] or 'quiet'}"
        )
    say()


def _table(rules: Sequence[dict[str, Any]], time_zone: str, *, is_compared: bool) -> Iterator[str]:
    now = ("now", "more") if is_compared else ()
    rows = [("rule", f"day ({time_zone})", "events", *now, "incidents", *now)]
    for rule in rules:
        days = rule["days"]
        lines = [("all", rule)] if len(days) != 1 else []
        for day, counts in [*((one["day"], one) for one in days), *lines]:
            cells = [rule["rule"], day]
            for name in ("events", "incidents"):
                cells.append(str(counts[name]))
                if is_compared:
                    before = counts[f"{name}_now"]
                    cells += [str(before), f"{counts[name] - before:+d}"]
            rows.append(tuple(cells))
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        named = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        counted = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        yield "  ".join([*named, *counted])


def _against(counts: dict[str, Any], name: str) -> str:
    if f"{name}_now" not in counts:
        return ""
    before = counts[f"{name}_now"]
    more = counts[name] - before
    word = "as many as" if not more else f"{abs(more)} {'more' if more > 0 else 'fewer'} than"
    return f", {word} with the present rules ({before})"


def _write(file: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False)
    if file == Path("-"):
        say(text)
        return
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--json {file}: cannot be written ({error.strerror})") from error
