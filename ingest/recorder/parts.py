"""Parts of a recording and their names, which are the index: there is no other (pure)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

SUFFIX: Final = "mp4"
_NAME: Final = re.compile(r"(?P<time>\d{9})-(?P<ms>\d{1,8})-(?P<digest>[0-9a-f]{64})\.mp4")
_OPEN: Final = re.compile(r"\.(?P<time>\d{9})-[0-9a-f]{8}\.part")
_DAY: Final = re.compile(r"\d{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A finished part; it lies in ``<root>/<camera>/<day>/<name>``, all times UTC.

    Attributes:
        starts_at: Of its first picture, to the millisecond.
        digest: SHA-256 of the file, in hexadecimal.
    """

    camera_id: str
    starts_at: datetime
    duration_s: float
    digest: str
    size_bytes: int = 0

    @property
    def ends_at(self) -> datetime:
        """When its last picture was over."""
        return self.starts_at + timedelta(seconds=self.duration_s)

    @property
    def day(self) -> str:
        """Name of its folder."""
        return day_of(self.starts_at)

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"{_time_of(self.starts_at)}-{round(self.duration_s * 1000)}-{self.digest}.{SUFFIX}"

    @property
    def part_id(self) -> str:
        """Day and name in one, without the suffix: what requests name it by."""
        return f"{self.day}-{self.name.removesuffix(f'.{SUFFIX}')}"


def parse_part(camera_id: str, day: str, name: str, *, size_bytes: int = 0) -> Part | None:
    """Return the part that lies under a name; None for what is not a name of ours."""
    matched = _NAME.fullmatch(name)
    starts_at = None if matched is None else _moment(day, matched["time"])
    if matched is None or starts_at is None:
        return None
    part = Part(
        camera_id=camera_id,
        starts_at=starts_at,
        duration_s=int(matched["ms"]) / 1000,
        digest=matched["digest"],
        size_bytes=size_bytes,
    )
    return part if part.name == name else None


def part_of_id(camera_id: str, part_id: str) -> Part | None:
    """Return the part that a request names, its size unknown; None if that is no id of ours."""
    day, _, name = part_id.partition("-")
    return parse_part(camera_id, day, f"{name}.{SUFFIX}")


def open_name(starts_at: datetime, token: str) -> str:
    """Return the name of a part that is being written; ``token`` is 8 hexadecimal digits."""
    return f".{_time_of(starts_at)}-{token}.part"


def opened_at(day: str, name: str) -> datetime | None:
    """Return when a part that is (or was) being written begins; None for any other file."""
    matched = _OPEN.fullmatch(name)
    return None if matched is None else _moment(day, matched["time"])


def day_of(at: datetime) -> str:
    """Return the name of a day's folder."""
    return at.astimezone(UTC).strftime("%Y%m%d")


def is_day(name: str) -> bool:
    """Whether a folder can be that of a day."""
    return _DAY.fullmatch(name) is not None


def to_millisecond(at: datetime) -> datetime:
    """Return the time as a name can say it."""
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


def _time_of(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.hour:02}{at.minute:02}{at.second:02}{at.microsecond // 1000:03}"


def _moment(day: str, time: str) -> datetime | None:
    """Return a time in UTC. By hand: ``strptime`` takes ten times as long, for each part kept."""
    if not is_day(day):
        return None
    try:
        return datetime(
            int(day[:4]), int(day[4:6]), int(day[6:]),
            int(time[:2]), int(time[2:4]), int(time[4:6]), int(time[6:]) * 1000, UTC,
        )  # fmt: skip
    except ValueError:
        return None
