"""Sequences across cameras: how one is configured, and whom it listens to (pure).

One is a rule of kind ``sequence`` whose ``first`` names a rule of another camera,
``yard/over-fence``. It stands with the camera at which it ends: ``then`` is a rule of that one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.cameras import Camera
from contracts.errors import ConfigError
from contracts.ids import check_name
from contracts.rules import RuleKind, RuleSettings
from vision.rules.defaults import with_defaults
from vision.rules.rule import Params

SEPARATOR: Final = "/"
WITHIN_S: Final = 30.0
LONGEST_S: Final = 6 * 3600.0
"""What was said longer ago is forgotten."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A rule of a camera, as a sequence names it."""

    camera_id: str
    rule_id: str

    def __str__(self) -> str:
        return f"{self.camera_id}{SEPARATOR}{self.rule_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceAcross:
    """A sequence that listens to more than its own camera.

    Attributes:
        camera_id: Whose rule it is; ``then`` is of the same one.
        settings: Of the rule.
        first, then: Who is to speak first, and who after it.
        within_s: Most seconds between the two.
        title: Of its alerts; empty for the usual one.
    """

    camera_id: str
    settings: RuleSettings
    first: Speaker
    then: Speaker
    within_s: float
    title: str

    @property
    def name(self) -> str:
        """Of the rule, unique in the site."""
        return f"{self.camera_id}{SEPARATOR}{self.settings.rule_id}"


def is_across(settings: RuleSettings) -> bool:
    """Say whether a rule is a sequence that listens to another camera."""
    sides = (settings.params.get("first"), settings.params.get("then"))
    return settings.kind is RuleKind.SEQUENCE and any(
        isinstance(side, str) and SEPARATOR in side for side in sides
    )


def sequence_across(settings: RuleSettings, *, camera_id: str) -> SequenceAcross:
    """Return a rule for which ``is_across`` holds, read strictly.

    Args:
        settings: Of the rule.
        camera_id: Whose it is; names without a camera are its own rules.

    Raises:
        ConfigError: A parameter is unknown or out of range; the message names it.
    """
    where = f"rule {settings.rule_id} ({settings.kind})"
    params = Params(settings)
    first = params.word("first", "the rule that speaks first")
    then = params.word("then", "the rule that speaks after it")
    within_s = params.number("within_s", WITHIN_S, least=0.1)
    params.choice("who", "any", among=("any",))
    title = params.text("title")
    params.done()
    if within_s > LONGEST_S:
        raise ConfigError(f"{where}: within_s must be at most {LONGEST_S:g}, got {within_s:g}")
    if settings.zone_id:
        raise ConfigError(
            f"{where}: a zone lies in one camera's picture; leave it out, and name rules that have "
            "the zones"
        )
    if SEPARATOR in then:
        raise ConfigError(
            f"{where}: then must be a rule of the camera itself, got {then[:80]!r}; let the "
            "sequence stand with the camera at which it ends"
        )
    return SequenceAcross(
        camera_id=camera_id,
        settings=settings,
        first=_speaker(first, camera_id, where=f"{where}: first"),
        then=_speaker(then, camera_id, where=f"{where}: then"),
        within_s=within_s,
        title=title,
    )


def sequences_of(cameras: Sequence[Camera]) -> Iterator[SequenceAcross]:
    """Yield the sequences across cameras that are at work.

    Raises:
        ConfigError: As ``sequence_across`` does.
    """
    for camera in cameras:
        for rule in camera.scene.rules:
            if rule.is_enabled and not rule.is_quiet and is_across(rule):
                yield sequence_across(rule, camera_id=camera.camera_id)


def deaf_ear(sequence: SequenceAcross, cameras: Sequence[Camera]) -> str:
    """Return why a sequence can hear nothing of a side, in words; empty if it can hear of both."""
    known = {camera.camera_id: camera for camera in cameras}
    for side, speaker in (("first", sequence.first), ("then", sequence.then)):
        problem = _unheard(speaker, known, own=sequence)
        if problem:
            return f"rule {sequence.settings.rule_id} (sequence): {side} names {problem}"
    return ""


def check_across(camera: Camera, cameras: Sequence[Camera]) -> None:
    """Refuse sequences of a camera that listen to what is not there.

    Args:
        camera: As it is to be.
        cameras: The others of the site; one of the same id does not count.

    Raises:
        ConfigError: One names an unknown camera or rule, or one that nobody hears.
    """
    site = [camera, *(one for one in cameras if one.camera_id != camera.camera_id)]
    for rule in camera.scene.rules:
        if is_across(rule):
            problem = deaf_ear(sequence_across(rule, camera_id=camera.camera_id), site)
            if problem:
                raise ConfigError(f"camera {camera.camera_id}: {problem}")


def _speaker(named: str, camera_id: str, *, where: str) -> Speaker:
    camera, separator, rule = named.partition(SEPARATOR)
    if not separator:
        camera, rule = camera_id, named
    try:
        check_name(camera, what="camera id")
        check_name(rule, what="rule id")
    except ConfigError as error:
        raise ConfigError(
            f"{where} must be a rule, or camera/rule, got {named[:80]!r}: {error}"
        ) from error
    return Speaker(camera, rule)


def _unheard(speaker: Speaker, known: Mapping[str, Camera], *, own: SequenceAcross) -> str:
    camera = known.get(speaker.camera_id)
    if camera is None:
        there = ", ".join(sorted(known)) or "none"
        return f"camera {speaker.camera_id!r}, which is not there; cameras are {there}"
    rules = {rule.rule_id: rule for rule in with_defaults(camera.scene).rules}
    rule = rules.get(speaker.rule_id)
    if rule is None:
        there = ", ".join(sorted(rules)) or "none"
        return f"{speaker}, but the camera has no such rule; its rules are {there}"
    if str(speaker) == own.name:
        return "itself"
    if rule.is_quiet:
        return f"{speaker}, which is quiet: other cameras hear only of what alerts"
    return ""
