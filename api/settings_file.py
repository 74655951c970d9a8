"""Reads the settings once: command line over environment over file over defaults.

Every name that is not a setting is refused, in the environment too: a typo must not turn into a
default that nobody wanted.
"""

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeGuard

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from contracts.cameras import redact_url
from contracts.errors import ConfigError
from contracts.settings import Section, Settings

PREFIX: Final = "VIGIL_"
SETTINGS_FILE_VARIABLE: Final = "VIGIL_SETTINGS"
DEFAULT_FILE: Final = Path("vigil.toml")

_SECRETS: Final = frozenset({"url", "source", "redis_url", "database_url", "ice_servers"})
"""Settings whose values are never repeated."""
_SHOWN_MAX: Final = 60


class _Loaded(Settings, BaseSettings):
    """``Settings`` that fill themselves from the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what ``load_settings`` hands in, then the environment, then the file's content."""
        del dotenv_settings, file_secret_settings
        given = init_settings.init_kwargs if isinstance(init_settings, InitSettingsSource) else {}
        overrides = given.get("overrides", {})
        from_file = given.get("from_file", {})
        return (
            InitSettingsSource(settings_cls, init_kwargs=overrides),
            env_settings,
            InitSettingsSource(settings_cls, init_kwargs=from_file),
        )


def load_settings(
    *,
    environment: Mapping[str, str],
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings.

    Args:
        environment: The process environment, which pydantic-settings reads as well; names that
            begin with ``VIGIL_`` and are no setting are refused.
        file: A TOML file; without it ``$VIGIL_SETTINGS``, then ``vigil.toml`` if it is there.
        overrides: From the command line, nested by section.

    Raises:
        ConfigError: One message that lists every bad or unknown setting by its name.
    """
    file = file or _named_file(environment)
    _refuse_unknown_variables(environment)
    _refuse_broken_json(environment)
    from_file = _read_file(file) if file else {}
    where = f"{file} and environment" if file else "environment"
    try:
        loaded = _Loaded(overrides=dict(overrides or {}), from_file=from_file)  # type: ignore[call-arg]  # consumed by settings_customise_sources
    except ValidationError as error:
        raise ConfigError(_explain(error, where)) from None  # its own text holds what was given
    settings = Settings.model_validate(loaded.model_dump())
    return _with_absolute_rules(settings, file.parent if file else Path())


def describe_settings(
    model: type[Section] = Settings, prefix: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Yield ``(name, default, meaning)`` of every setting, sections flattened with dots."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if _is_section(kind):
            yield from describe_settings(kind, f"{prefix}{name}.")
        else:
            default = field.get_default(call_default_factory=True)
            yield f"{prefix}{name}", str(default), field.description or ""


def _is_section(kind: object) -> TypeGuard[type[Section]]:
    return isinstance(kind, type) and issubclass(kind, Section)


def _named_file(environment: Mapping[str, str]) -> Path | None:
    named = environment.get(SETTINGS_FILE_VARIABLE)
    if named:
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{file}: there is no such settings file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read ({type(error).__name__})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: is not valid TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{file}: is nested too deeply to be read") from error


def _known_variables() -> set[str]:
    names = (name for name, _, _ in describe_settings())
    return {PREFIX + name.replace(".", "__").upper() for name in names} | {SETTINGS_FILE_VARIABLE}


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = _known_variables()
    sections = {name.split("__")[0] for name in known if "__" in name}
    given = (name for name in environment if name.upper().startswith(PREFIX))
    unknown = sorted(name for name in given if name.upper() not in known | sections)
    if unknown:
        lines = "\n".join(f"  {name}: {_suggest(name.upper(), known)}" for name in unknown)
        raise ConfigError(f"environment: {len(unknown)} unknown setting(s)\n{lines}")


def _refuse_broken_json(environment: Mapping[str, str]) -> None:
    """Refuse a section or list that is given whole, as JSON, and is none; it is not echoed."""
    names = {name.split(".")[0] for name, _, _ in describe_settings() if "." in name}
    whole = {PREFIX + name.upper() for name in names | {"cameras"}}
    for variable, value in sorted(environment.items()):
        if variable.upper() not in whole:
            continue
        try:
            json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ConfigError(
                f"environment: {variable} is not valid JSON; write it in the settings file "
                f"instead, or name single settings ({variable.upper()}__<NAME>)"
            ) from error


def _suggest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    hint = f"; did you mean {near[0]}?" if near else "; docs/config.md lists all"
    return f"there is no such setting{hint}"


def _explain(error: ValidationError, where: str) -> str:
    problems = error.errors(include_url=False, include_context=False)
    lines = "\n".join(
        f"  {'.'.join(str(part) for part in problem['loc'])}: {_say(problem)}"
        for problem in problems
    )
    return f"{where}: {len(problems)} bad setting(s)\n{lines}"


def _say(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        known = sorted({name for name, _, _ in describe_settings()})
        name = ".".join(str(part) for part in problem["loc"])
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
        return "there is no such setting" + (f"; did you mean {near[0]}?" if near else "")
    message = str(problem["msg"])[:1].lower() + str(problem["msg"])[1:]
    given = problem["input"]
    is_secret = problem["loc"][-1] in _SECRETS
    if is_secret or not isinstance(given, str | int | float) or len(str(given)) > _SHOWN_MAX:
        return message
    return f"{message}, got {(redact_url(given) if isinstance(given, str) else given)!r}"


def _with_absolute_rules(settings: Settings, folder: Path) -> Settings:
    """Resolve rules files against the settings file's folder, as its reader expects."""
    cameras = tuple(
        camera.model_copy(update={"rules_file": folder / camera.rules_file})
        if camera.rules_file
        else camera
        for camera in settings.cameras
    )
    return settings.model_copy(update={"cameras": cameras})
