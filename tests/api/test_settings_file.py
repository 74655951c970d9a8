from pathlib import Path

import pytest

from api.settings_file import describe_settings, load_settings
from contracts.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    file = folder / "vigil.toml"
    file.write_text(text)
    return file


def test_defaults_need_nothing() -> None:
    settings = load_settings(environment={})
    assert settings.api.port == 8480
    assert settings.redis_url.get_secret_value() == ""


def test_command_line_over_environment_over_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "[api]\nport = 1111\nhost = '0.0.0.0'\n[queue]\nmax_age_s = 9\n")
    environment = {"VIGIL_API__PORT": "2222", "VIGIL_QUEUE__MAX_AGE_S": "8"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    settings = load_settings(
        environment=environment, file=file, overrides={"queue": {"max_age_s": 7.0}}
    )

    assert settings.queue.max_age_s == 7.0
    assert settings.api.port == 2222
    assert settings.api.host == "0.0.0.0"  # noqa: S104  # the file's word, nothing is bound


def test_all_bad_settings_are_named_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, "datadir = 'x'\n[ingest]\nstall_after_s = -1\nfsp = 5\n")
    with pytest.raises(ConfigError) as raised:
        load_settings(environment={}, file=file)
    message = str(raised.value)
    assert "3 bad setting(s)" in message
    assert "ingest.stall_after_s: input should be greater than 0" in message
    assert "ingest.fsp: there is no such setting" in message
    assert "datadir: there is no such setting; did you mean data_dir?" in message


def test_an_unknown_variable_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"VIGIL_REDIS_URI.*did you mean VIGIL_REDIS_URL"):
        load_settings(environment={"VIGIL_REDIS_URI": "redis://x"})


def test_a_refused_value_is_not_echoed(tmp_path: Path) -> None:
    file = write(tmp_path, "[[cameras]]\nid='a'\nurl='rtsp://u:hunter2@h/'\nfps=3\n")
    with pytest.raises(ConfigError) as raised:
        load_settings(environment={}, file=file)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("port = = 3", "is not valid TOML"), (None, "there is no such settings file")],
)
def test_a_file_that_cannot_be_used_says_why(
    tmp_path: Path, text: str | None, message: str
) -> None:
    file = tmp_path / "missing.toml" if text is None else write(tmp_path, text)
    with pytest.raises(ConfigError, match=message):
        load_settings(environment={}, file=file)


def test_rules_files_are_found_beside_the_settings_file(tmp_path: Path) -> None:
    file = write(tmp_path, "[[cameras]]\nid='a'\nurl='x.mp4'\nrules_file='a.rules.json'\n")
    [camera] = load_settings(environment={}, file=file).cameras
    assert camera.rules_file == tmp_path / "a.rules.json"


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, _, meaning in describe_settings() if not meaning] == []


def test_a_bad_value_is_shown_unless_it_is_a_secret(tmp_path: Path) -> None:
    file = write(tmp_path, "[api]\nport = 'rtsp://u:hunter2@h/'\n[queue]\nmax_age_s = 'soon'\n")
    with pytest.raises(ConfigError) as raised:
        load_settings(environment={}, file=file)
    assert "queue.max_age_s: input should be a valid number" in str(raised.value)
    assert "got 'soon'" in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("value", ['[{"id": "g", "url": "rtsp://u:hunter2@h/x', "[" * 100_000])
def test_a_list_in_a_variable_that_is_no_json_is_refused_unseen(value: str) -> None:
    with pytest.raises(ConfigError, match="VIGIL_CAMERAS is not valid JSON") as raised:
        load_settings(environment={"VIGIL_CAMERAS": value})
    assert "hunter2" not in str(raised.value)


def test_a_file_nested_without_end_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "x = " + "[" * 100_000)
    with pytest.raises(ConfigError, match="nested too deeply"):
        load_settings(environment={}, file=file)
