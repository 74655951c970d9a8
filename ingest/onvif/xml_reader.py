"""XML as cameras send it: bounded, without a DTD, so that it can neither grow nor fetch anything.

Names are told apart by their local part: cameras disagree on versions of namespaces, and no two
elements that are read here share one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

XML_BYTES_MAX: Final = 1_000_000
"""A device with 64 channels describes them in 400 kB."""
_DEPTH_MAX: Final = 64
_NODES_MAX: Final = 50_000
_SEPARATOR: Final = " "


class XmlRefused(Exception):  # noqa: N818  # named as the condition
    """What came is not XML that is read here; says why, without repeating it."""


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """One element.

    Attributes:
        name: Its local name.
        space: Its namespace.
        attributes: By local name.
        text: Of its own, without that of its children.
    """

    name: str
    space: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def find(self, *path: str) -> "Node | None":
        """Return the first element at a path of local names, or None."""
        if not path:
            return self
        for child in self.children:
            if child.name == path[0] and (found := child.find(*path[1:])) is not None:
                return found
        return None

    def text_at(self, *path: str) -> str:
        """Return the text at a path, without spaces around it; empty if nothing is there."""
        found = self.find(*path)
        return "" if found is None else found.text.strip()

    def all(self, name: str) -> Iterator["Node"]:
        """Yield each element of that name below this one, in order."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.all(name)


def read_xml(content: bytes) -> Node:
    """Return the root element. Raises XmlRefused."""
    if len(content) > XML_BYTES_MAX:
        raise XmlRefused(f"more than {XML_BYTES_MAX} bytes")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.Parse(content, True)  # noqa: FBT003  # expat's
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise XmlRefused(f"no well-formed XML ({type(error).__name__})") from None
    if builder.root is None:
        raise XmlRefused("no well-formed XML (empty)")
    return builder.root


class _Builder:
    """Makes nodes of what expat meets."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._nodes = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._nodes += 1
        if len(self._open) >= _DEPTH_MAX or self._nodes > _NODES_MAX:
            raise XmlRefused(f"more than {_NODES_MAX} elements, or nested deeper than {_DEPTH_MAX}")
        space, _, local = name.rpartition(_SEPARATOR)
        given = {key.rpartition(_SEPARATOR)[2]: value for key, value in attributes.items()}
        node = Node(name=local, space=space, attributes=given)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _name: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._open[-1].text += text

    def doctype(self, *_declaration: object) -> None:
        raise XmlRefused("a document type, which could name entities or files")
