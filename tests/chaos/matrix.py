"""The fault matrix: what may happen to cameras (C) and to the pipeline (P), and the bars.

A bar's D is the time to detect a fault, R the time to recover once it is over, L what may be lost.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault."""

    row_id: str
    fault: str
    expected: str
    bar: str


def _row(row_id: str, fault: str, expected: str, bar: str) -> Row:
    return Row(row_id=row_id, fault=fault, expected=expected, bar=bar)


ROWS: Final = {
    row.row_id: row
    for row in (
        _row("C1", "camera refuses TCP", "back-off with jitter, told once", "D <= 5 s, R <= 10 s"),
        _row("C2", "half-open TCP", "the read deadline fires", "D <= 6 s, R <= 10 s"),
        _row("C3", "silent accept", "the open deadline fires, thread freed", "D <= 5.5 s"),
        _row("C4", "slow-loris reply, header flood", "the open deadline", "D <= 5.5 s, RSS flat"),
        _row("C5", "camera process frozen", "as C2", "D <= 6 s"),
        _row(
            "C6",
            "5 % and 20 % UDP loss",
            "corrupt flagged and not detected on; degraded at 20 %; by TCP unless forbidden",
            "false alerts <= clean + 1; D <= 15 s, R <= 10 s",
        ),
        _row("C7", "500 kbit/s for a 4 Mbit/s stream", "age-dropped, no growth", "lag <= 2 s"),
        _row(
            "C8", "jitter 0-800 ms, bursts of 2 s", "times from RTP", "interval error p99 <= 40 ms"
        ),
        _row("C9", "reordered and doubled RTP", "put in order, doubles dropped", "0 exceptions"),
        _row("C10", "bit flips 1e-5, 1e-4, 1e-3", "corrupt counted", "0 crashes"),
        _row("C11", "no SPS/PPS in SDP, join mid-GOP", "live after <= 2 GOP", "0 grey frames"),
        _row("C12", "B-frames, open GOP, intra refresh", "order by pts; start <= 10 s", "pts grow"),
        _row("C13", "resolution switch mid-stream", "frames follow the picture", "gap <= 1 s"),
        _row(
            "C14",
            "RTP time reset, 10 s back, wrap",
            "unwrapped, or a new run",
            "0 negative durations",
        ),
        _row("C15", "drift +500 ppm for 24 h", "clocks followed", "error <= 0.5 s"),
        _row("C16", "wrong password, stale digest", "slow retry", "<= 1 attempt in 5 min"),
        _row("C17", "302 to another host", "refused and told", "0 connections"),
        _row("C18", "GET_PARAMETER 454, time-out 20 s", "kept alive", "0 drops in 10 min"),
        _row("C19", "H.265, MJPEG, audio of any kind", "decoded, or refused clearly", "a table"),
        _row("C20", "frozen picture, moving OSD", "tamper event", "D <= 60 s, 0 false at night"),
        _row("C21", "black, covered, defocused, moved", "tamper event", "D <= 10 s"),
        _row("C22", "50 cameras flap every 5 s", "jittered, fds flat", "CPU < 60 %"),
        _row("C23", "garbage between RTP packets", "resync or reconnect", "R <= 5 s"),
        _row(
            "C24", "DNS name changes, SERVFAIL", "resolved anew per attempt", "told and recovered"
        ),
        _row("P1", "SIGKILL ingest", "restart, others unaffected", "R <= 5 s, L <= 5 s video"),
        _row("P2", "SIGKILL vision in an incident", "taken up again", "0 lost, 0 double"),
        _row("P3", "SIGSTOP vision", "newest wins, backlog <= ring", "lag <= 2 s within 3 s"),
        _row("P4", "poison frames", "settled with cause, others go on", "dip <= 1 frame"),
        _row("P5", "native crash in a decoder", "only that camera dies", "R <= 5 s"),
        _row("P6", "out of memory (300 MB over)", "killed and restarted", "<= 1 restart/min"),
        _row("P7", "CPU quota 20 %", "degrades, alerts first", "p95 alert <= 3x"),
        _row("P8", "64 file descriptors", "new cameras refused clearly", "no crash"),
        _row("P9", "no shared memory left", "frames go on inline", "0 SIGBUS"),
        _row("P10", "torn frames", "dropped by checksum or impossible", "0 torn reads"),
    )
}
