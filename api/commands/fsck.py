"""``vigil fsck``: whether evidence and recordings are there, whole, and nothing beside them."""

import argparse
import json
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

from tqdm import tqdm

from alerts.history.database import Database
from alerts.history.evidence_audit import EvidenceAudit
from alerts.history.evidence_check import Fault, FaultKind, KeptFile, Verdict
from api.commands.analyze import quiet_logging
from api.console import say
from api.plain import to_plain
from api.wiring.context import database_url
from api.wiring.storage import recording_folder
from contracts.clock import SystemClock
from contracts.errors import ConfigError
from contracts.settings import Settings
from ingest.recorder.audit import RecordingAudit, RecordingFault, RecordingVerdict

_DESCRIPTION: Final = """\
Go through the rows that name evidence (pictures and clips of incidents) and through the files in
DATA_DIR/evidence, then through continuous recordings, and say what does not fit together. Nothing
is changed without --repair. Vigil may run meanwhile.

  vigil fsck                         read and hash every file
  vigil fsck --quick                 only see whether the files are there
  vigil fsck --repair                set right what can be, and say what was done
  vigil fsck --json | jq .faults     for programs
"""
_NOTES: Final = """\
missing    a row names it, there is no file     --repair: the row says so, and the alert with it
damaged    its hash is not the one in its name  left as it is: bring the file back from a backup
orphaned   no row or told event names it        --repair: removed
left_over  a part whose writer was killed       --repair: removed
foreign    not a file of Vigil's                left as it is: move it away

Evidence is written before its row, so a file without a row, or a part, is called orphaned or left
over only once it is older than --settled-minutes. Before --repair, let the alerts stage catch up:
rows that still wait in the queue are not known here.

The name of a part of a recording is its row: none is missing or orphaned. One that is left over is
finished by --repair (its whole seconds are kept); one that is being written is never touched.

Exit status: 0 nothing wrong (or all of it set right), 1 something is, 2 it could not be checked.
"""
_LISTED: Final = 50
AnyFault: TypeAlias = Fault | RecordingFault
Done: TypeAlias = dict[AnyFault, str]
"""What was done about each fault."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = _DESCRIPTION
    parser.epilog = _NOTES
    parser.add_argument("--repair", action="store_true", help="remove and mark, as said below")
    parser.add_argument("--quick", action="store_true", help="do not read files: finds no damage")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument(
        "--settled-minutes", type=float, default=60.0, metavar="N",
        help="how long a file may wait for its row (60)",
    )  # fmt: skip


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print what is wrong; 1 if something is and stays so."""
    quiet_logging(arguments, settings)
    if not 0 <= arguments.settled_minutes <= 60 * 24 * 366:
        raise ConfigError("--settled-minutes must be 0 to a year")
    clock, settled_after = SystemClock(), timedelta(minutes=arguments.settled_minutes)
    is_hashing = not arguments.quick
    recordings = RecordingAudit(
        recording_folder(settings, clock).root,
        clock=clock,
        settled_after=settled_after,
        is_hashing=is_hashing,
    )
    database = Database(database_url(settings))
    try:
        audit = EvidenceAudit(
            database,
            settings.data_dir / "evidence",
            clock=clock,
            settled_after=settled_after,
            is_hashing=is_hashing,
        )
        verdict, recorded = _examine(audit, recordings)
        done: Done = dict(audit.repair(verdict)) if arguments.repair else {}
        if arguments.repair:
            done.update(recordings.repair(recorded))
    finally:
        database.close()
    if arguments.json:
        document = {**_document(verdict, done), "recordings": _document(recorded, done)}
        say(json.dumps(document, indent=2))
    else:
        _print(verdict, recorded, done)
    faults: list[AnyFault] = [*verdict.faults, *recorded.faults]
    return 1 if any(not _is_right(done.get(fault, "")) for fault in faults) else 0


def _examine(audit: EvidenceAudit, recordings: RecordingAudit) -> tuple[Verdict, RecordingVerdict]:
    is_watched = sys.stderr.isatty()
    total = audit.file_count() + recordings.file_count() if is_watched else None
    with tqdm(total=total, unit="file", leave=False, disable=not is_watched) as bar:

        def count(file: KeptFile | Path) -> None:
            del file
            bar.update()

        return audit.examine(count), recordings.examine(count)


def _is_right(done: str) -> bool:
    return bool(done) and (not done.startswith("left") or done.endswith("again"))


def _document(verdict: Verdict | RecordingVerdict, done: Done) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(verdict)
    faults: tuple[AnyFault, ...] = verdict.faults
    for one, fault in zip(plain["faults"], faults, strict=True):
        one["done"] = done.get(fault, "")
    return plain


def _print(verdict: Verdict, recorded: RecordingVerdict, done: Done) -> None:
    faults: list[AnyFault] = [*verdict.faults, *recorded.faults]
    counts = Counter(fault.kind for fault in faults)
    say(
        f"{verdict.rows} pieces of evidence named, {verdict.files} files, "
        f"{verdict.size_bytes / 1e6:.1f} MB; {verdict.recent} too young to judge"
    )
    say(
        f"{recorded.parts} parts of recordings, {recorded.size_bytes / 1e6:.1f} MB; "
        f"{recorded.open_parts} being written"
    )
    for kind in FaultKind:
        say(f"  {kind:<10} {counts[kind]:>6}")
    for fault in faults[:_LISTED]:
        say(_line(fault) + (f" -> {done[fault]}" if fault in done else ""))
    if len(faults) > _LISTED:
        say(f"... and {len(faults) - _LISTED} more; --json lists all")
    if faults and not done:
        say("vigil fsck --repair removes and marks what it can; vigil fsck --help says what")


def _line(fault: AnyFault) -> str:
    if isinstance(fault, RecordingFault):
        return f"{fault.kind:<10} recordings/{fault.path}"
    of = f" of {', '.join(fault.incident_ids[:3])}" if fault.incident_ids else ""
    return f"{fault.kind:<10} {fault.path or fault.ref}{of}"
