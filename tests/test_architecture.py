"""What the linters cannot say about the shape of the code."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("contracts", "ingest", "vision", "moe_core", "alerts", "api")
LONGEST_FILE = 400
LARGEST_CONTRACTS = 1_500
FORBIDDEN_NAMES = {
    "base", "common", "data", "handler", "helper", "helpers", "info", "manager", "misc",
    "processor", "util", "utils",
}  # fmt: skip
FORBIDDEN_SUFFIXES = ("Manager", "Handler", "Processor", "Impl", "Helper", "Util", "Utils")
STANDARD_HANDLERS = {"BaseHTTPRequestHandler"}
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_modules_are_found() -> None:
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES + TESTS, ids=name_of)
def test_a_file_stays_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_for_by_its_name(path: Path) -> None:
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_class_says_what_it_is_by_its_name(path: Path) -> None:
    names = [
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    assert [name for name in names if name.endswith(FORBIDDEN_SUFFIXES)] == []
    assert [name for name in names if name.startswith("Base")] == []


def test_contracts_stay_small() -> None:
    lines = [
        line
        for path in (ROOT / "contracts").glob("*.py")
        for line in path.read_text().splitlines()
        if line.strip()
    ]
    assert len(lines) <= LARGEST_CONTRACTS


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_time_comes_from_the_clock(path: Path) -> None:
    if path == ROOT / "contracts" / "clock.py":
        return
    found = re.findall(
        r"\b(?:datetime\.(?:now|utcnow)|time\.(?:time|monotonic|sleep))\(", path.read_text()
    )
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    allowed = {ROOT / "api" / "__main__.py"}
    if path not in allowed:
        assert "os.environ" not in path.read_text()
        assert "getenv" not in path.read_text()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_unpickled_and_opencv_opens_no_media(path: Path) -> None:
    text = path.read_text()
    forbidden = (
        "import pickle",
        "torch.load",
        "joblib",
        "yaml.load(",
        "VideoCapture",
        "cv2.imread(",
    )
    assert [word for word in forbidden if word in text] == []


def test_the_listed_packages_are_those_that_exist() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    present = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for name in PACKAGES
        for path in (ROOT / name).rglob("__init__.py")
    }
    assert set(listed) == present


def test_every_package_of_the_product_has_tests() -> None:
    for name in PACKAGES:
        assert list((ROOT / "tests" / name).rglob("test_*.py")), f"tests/{name} has no test"


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-gpu.txt", "constraints-dev.txt"])
def test_pins_have_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    pins = re.findall(r"^[a-z0-9._-]+(?:\[[a-z,]+\])?==", text, re.MULTILINE | re.IGNORECASE)
    assert len(pins) > 20
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
