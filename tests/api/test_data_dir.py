import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.data_dir import held_data_dir
from contracts.errors import ConfigError


def test_a_second_instance_is_refused_and_named_the_first(tmp_path: Path) -> None:
    with (
        held_data_dir(tmp_path / "state"),
        pytest.raises(ConfigError, match=f"process {os.getpid()}"),
        held_data_dir(tmp_path / "state"),
    ):
        pass


def test_a_killed_instance_leaves_no_lock_behind(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys; from api.data_dir import held_data_dir\n"
        "with held_data_dir(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)

    with held_data_dir(tmp_path) as folder:
        assert folder == tmp_path


def test_the_folder_is_private(tmp_path: Path) -> None:
    with held_data_dir(tmp_path / "state") as folder:
        assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="set VIGIL_DATA_DIR"), held_data_dir(tmp_path / "file"):
        pass
