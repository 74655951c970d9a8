import pytest

from api.__main__ import COMMANDS, main


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_teaches_its_use(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"vigil {command}" in capsys.readouterr().out


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "COMMAND" in capsys.readouterr().out


def test_an_unknown_setting_ends_with_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIGIL_PROT", "1")
    assert main(["check-config"]) == 2
    assert "VIGIL_PROT: there is no such setting" in capsys.readouterr().err


def test_a_stage_alone_needs_a_redis_to_share(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--only", "vision"]) == 2
    assert "set VIGIL_REDIS_URL" in capsys.readouterr().err
