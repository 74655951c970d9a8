"""Whatever stands in a settings or rules file, it is read or refused by name, secrets unsaid."""

import json
import math
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.rules_file import SceneRulesParser, dump_rules
from api.settings_file import describe_settings, load_settings
from contracts.errors import ConfigError
from ingest.sources.scenes.yard_truth import YARD_RULES

SECRET = "Fs8-canary"  # noqa: S105  # of this test
NAMES = [name for name, _, _ in describe_settings()]
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=30),
    st.just(f"rtsp://admin:{SECRET}@camera/live"),
    st.just(f"redis://:{SECRET}@host:99999/x"),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def toml(value: Any) -> str:  # noqa: ANN401  # any plain value
    """Write a value as TOML has it; what it has not (null) becomes a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "nan" if math.isnan(value) else "inf" if math.isinf(value) else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(toml(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    return json.dumps("" if value is None else value)


def refused(file: Path) -> str:
    """What is said of a file; nothing if it is accepted."""
    try:
        load_settings(environment={}, file=file)
    except ConfigError as error:
        return str(error)
    return ""


SHARING = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHARING
@given(entries=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
def test_any_value_of_a_setting_is_read_or_refused(tmp_path: Path, entries: dict[str, Any]) -> None:
    file = tmp_path / "vigil.toml"
    dotted = {name.replace("[]", "").split(" ")[0]: value for name, value in entries.items()}
    text = "".join(f"{name} = {toml(value)}\n" for name, value in dotted.items())
    file.write_text(text)

    assert SECRET not in refused(file)


@SHARING
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "vigil.toml"
    file.write_bytes(content)

    refused(file)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401  # JSON
    """Every place in a document, by its keys and indices."""
    items: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        items = list(document.items())
    elif isinstance(document, list | tuple):
        items = list(enumerate(document))
    return [path, *(place for key, value in items for place in places(value, (*path, key)))]


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401  # JSON
    if not path:
        return value
    document[path[0]] = replaced(document[path[0]], path[1:], value)
    return document


RULES = json.loads(json.dumps(dump_rules(YARD_RULES)))
PLACES = places(RULES)


def told_of(document: object) -> str:
    try:
        SceneRulesParser("rules").parse(document)
    except ConfigError as error:
        return str(error)
    return ""


@settings(max_examples=120)
@given(path=st.sampled_from(PLACES), value=VALUES)
def test_any_rules_are_read_or_refused(path: tuple[Any, ...], value: object) -> None:
    message = told_of(replaced(json.loads(json.dumps(RULES)), path, value))

    assert message == "" or "rules" in message
