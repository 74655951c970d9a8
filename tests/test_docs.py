"""Documents are held to the code: links resolve, every setting is documented, words are kept."""

import re
from pathlib import Path

import pytest

from api.settings_file import describe_settings
from scripts.write_config_doc import with_table

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
PATH_IN_CODE = re.compile(
    r"`((?:contracts|ingest|vision|moe_core|alerts|api|docs|tests|scripts)/[\w./-]+\.(?:py|md))`"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_documents_are_there() -> None:
    names = {name_of(path) for path in DOCUMENTS}
    wanted = {"README.md", "CHANGELOG.md"} | {
        f"docs/{name}.md" for name in ("architecture", "config", "glossary", "operations", "time")
    }
    assert wanted <= names


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    targets = [link or image for link, image in LINK.findall(path.read_text())]
    local = [target.split("#")[0] for target in targets if "://" not in target]
    assert [target for target in local if target and not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_named_files_exist(path: Path) -> None:
    named = PATH_IN_CODE.findall(path.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_setting_is_documented_with_its_default() -> None:
    document = (ROOT / "docs" / "config.md").read_text()
    assert with_table(document) == document, "run python -m scripts.write_config_doc"
    assert all(f"`{name}`" in document for name, _, _ in describe_settings())


def test_the_changelog_names_the_current_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()
