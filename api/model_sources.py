"""What ``vigil models pull`` is asked for, as a list of files to fetch.

Three ways to say it: a name of the catalog, ``hf:owner/repo@revision`` on a hub, an https address.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from api.model_download import RemoteFile
from contracts.cameras import redact_url
from contracts.errors import ConfigError
from vision.detect.catalog import CATALOG, CatalogEntry, find_entry

HUB: Final = "https://huggingface.co"
UNKNOWN_LICENCE: Final = "unknown"
FOLDER_FILES: Final = ("config.json", "preprocessor_config.json", "model.safetensors")
"""What is fetched of a hub's repository: enough to detect, and nothing that could be run."""
PICKLES: Final = frozenset({".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"})
_BY_SUFFIX: Final = {".onnx": "yolox", ".safetensors": "torchvision"}
_HUB_NAME: Final = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,62}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")

ReadText = Callable[[str], str]
"""Fetches a small document by its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPlan:
    """A model to fetch.

    Attributes:
        name: Of its folder.
        family: Detector family that will open it.
        licence: As the publisher states it, ``unknown`` if nobody does.
        source: As it may be shown and written down: no credentials, no signature.
        revision: Commit of a hub's repository, empty elsewhere.
        weights: What ``vision.weights`` must name within the folder; empty for the folder.
        files: What to fetch.
        size_bytes: Of all files, None if it is not known beforehand.
    """

    name: str
    family: str
    licence: str
    source: str
    files: tuple[RemoteFile, ...]
    revision: str = ""
    weights: str = ""
    size_bytes: int | None = None

    @property
    def digest(self) -> str:
        """Twelve digits that differ for other files: what was begun is continued for the same."""
        text = "\n".join(f"{file.name} {file.url} {file.sha256}" for file in self.files)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def make_plan(
    wanted: str, *, name: str = "", sha256: str = "", hub: str = HUB, read_text: ReadText
) -> PullPlan:
    """Return what to fetch.

    Args:
        wanted: A name of the catalog, ``hf:owner/repo@revision`` or an https address.
        name: What to call it here; a name is made from ``wanted`` if it is empty.
        sha256: Checksum of the weights, empty to measure it.
        hub: Address of the hub.
        read_text: Asks the hub what a repository holds.

    Raises:
        ConfigError: There is no such thing, or it is of a kind that is not opened here.
        TransportUnavailable: The hub cannot be reached.
    """
    entry = find_entry(wanted)
    if entry is not None:
        plan = _plan_of_entry(entry, hub=hub, read_text=read_text)
    elif wanted.startswith("hf:"):
        plan = _plan_of_hub(wanted, hub=hub, read_text=read_text)
    elif "://" in wanted:
        plan = _plan_of_address(wanted)
    else:
        raise ConfigError(
            f"{wanted!r} is no model of the catalog ({', '.join(item.name for item in CATALOG)}); "
            "wanted: one of these names, hf:OWNER/REPO@REVISION or an https address"
        )
    plan = replace(plan, name=_checked_name(name or plan.name))
    return _with_sha256(plan, _checked_sha256(sha256)) if sha256 else plan


def _plan_of_entry(entry: CatalogEntry, *, hub: str, read_text: ReadText) -> PullPlan:
    if entry.source.startswith("hf:"):
        plan = _plan_of_hub(entry.source, hub=hub, read_text=read_text)
    else:
        plan = _plan_of_address(entry.source)
    files = tuple(replace(file, sha256=entry.sha256.get(file.name, "")) for file in plan.files)
    return replace(
        plan, name=entry.name, licence=entry.licence, files=files, size_bytes=entry.size_bytes
    )


def _plan_of_hub(wanted: str, *, hub: str, read_text: ReadText) -> PullPlan:
    matched = _HUB_NAME.fullmatch(wanted)
    if matched is None:
        raise ConfigError(f"{wanted!r}: wanted hf:OWNER/REPO or hf:OWNER/REPO@REVISION")
    repository, revision = matched[1], matched[2] or "main"
    hub = hub.rstrip("/")
    url = f"{hub}/api/models/{repository}/revision/{quote(revision, safe='')}"
    document = _as_mapping(read_text(url), url)
    commit = str(document.get("sha", ""))
    if not _COMMIT.fullmatch(commit):
        raise ConfigError(f"{redact_url(url)}: names no commit; is this a hub of models?")
    _require_files(document, wanted)
    return PullPlan(
        name=repository.split("/")[1],
        family="transformers",
        licence=_licence(document),
        source=f"hf:{repository}",
        revision=commit,
        files=tuple(
            RemoteFile(name=name, url=f"{hub}/{repository}/resolve/{commit}/{name}")
            for name in FOLDER_FILES
        ),
    )


def _plan_of_address(url: str) -> PullPlan:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigError(f"{redact_url(url)}: is no address") from error
    if parts.scheme != "https" or not parts.hostname:
        raise ConfigError(f"{redact_url(url)}: only https addresses are fetched")
    file = PurePosixPath(unquote(parts.path)).name
    suffix = PurePosixPath(file).suffix.lower()
    if suffix in PICKLES:
        raise ConfigError(
            f"{redact_url(url)}: {suffix} files are pickles, which can run code when they are "
            "opened; wanted .onnx or .safetensors"
        )
    if suffix not in _BY_SUFFIX:
        raise ConfigError(
            f"{redact_url(url)}: wanted the address of an .onnx file (YOLOX) or a .safetensors "
            "file (torchvision)"
        )
    _checked_name(file)
    shown = urlunsplit(
        parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    )
    return PullPlan(
        name=PurePosixPath(file).stem,
        family=_BY_SUFFIX[suffix],
        licence=UNKNOWN_LICENCE,
        source=shown,
        weights=file,
        files=(RemoteFile(name=file, url=url),),
    )


def _require_files(document: Mapping[str, Any], wanted: str) -> None:
    siblings = document.get("siblings")
    names = {
        str(item.get("rfilename", ""))
        for item in (siblings if isinstance(siblings, list) else [])
        if isinstance(item, dict)
    }
    missing = [name for name in FOLDER_FILES if name not in names]
    if not missing:
        return
    pickles = sorted(name for name in names if PurePosixPath(name).suffix in PICKLES)
    reason = ""
    if "model.safetensors" in missing and pickles:
        reason = f"; it has {pickles[0]}, but pickles can run code when they are opened"
    elif "model.safetensors.index.json" in names:
        reason = "; weights in several files are larger than any detector for cameras needs to be"
    raise ConfigError(f"{wanted}: has no {', '.join(missing)}{reason}")


def _licence(document: Mapping[str, Any]) -> str:
    card = document.get("cardData")
    stated = card.get("license") if isinstance(card, dict) else None
    if isinstance(stated, str) and stated:
        return stated
    tags = document.get("tags")
    named = [
        tag.removeprefix("license:")
        for tag in (tags if isinstance(tags, list) else [])
        if isinstance(tag, str) and tag.startswith("license:")
    ]
    return named[0] if named else UNKNOWN_LICENCE


def _as_mapping(text: str, url: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ConfigError(
            f"{redact_url(url)}: answers no JSON; is this a hub of models?"
        ) from error
    if not isinstance(document, dict):
        raise ConfigError(f"{redact_url(url)}: answers no JSON object; is this a hub of models?")
    return document


def _with_sha256(plan: PullPlan, sha256: str) -> PullPlan:
    """Hold the weights to a checksum; a folder's are its safetensors."""
    weights = plan.weights or "model.safetensors"
    pinned = [file.sha256 for file in plan.files if file.name == weights and file.sha256]
    if pinned and pinned != [sha256]:
        raise ConfigError(
            f"--sha256 {sha256[:12]}...: the catalog pins {pinned[0][:12]}... for {weights}"
        )
    files = tuple(
        replace(file, sha256=sha256) if file.name == weights else file for file in plan.files
    )
    return replace(plan, files=files)


def _checked_sha256(sha256: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise ConfigError(f"--sha256: wanted 64 hexadecimal digits, got {len(sha256)} characters")
    return sha256.lower()


def _checked_name(name: str) -> str:
    if not _PLAIN_NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot be the name of a model: 1 to 63 letters, digits, '.', '_' and '-', "
            "the first a letter or digit; give one with --name"
        )
    return name
