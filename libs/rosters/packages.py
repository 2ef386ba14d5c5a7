"""The zip package an xlsx is: checked before anything is unpacked, its XML read without entities."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from libs.refusals.faults import Fault, Refusal, invalid

# A sheet of 50,000 students unpacks to some 25 MB. Python's zipfile gives no more of a member than
# the size its directory announces, so what is announced is what can come.
LARGEST_UNPACKED = 200 * 1024 * 1024
MOST_MEMBERS = 1000
_LARGEST_PART = 4 * 1024 * 1024  # workbook, relations, styles: small in every real file
_CHUNK = 64 * 1024

Attributes = dict[str, str]


class Package:
    """An xlsx's members. Raises Refusal (invalid) for what is no xlsx, or one we will not unpack."""

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise broken() from error
        members = self._zip.infolist()
        if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > LARGEST_UNPACKED:
            raise _refusal("roster_too_large", "文件解压后过大，不能处理；请另存为新的xlsx文件或分批上传。")
        if any(member.flag_bits & 1 for member in members):
            raise _refusal("roster_encrypted", "文件有密码，请取消密码后重新上传。")
        self._sizes = {member.filename: member.file_size for member in members}

    def part(self, name: str) -> bytes | None:
        """A small member, unpacked; None if there is none."""
        if name not in self._sizes:
            return None
        if self._sizes[name] > _LARGEST_PART:
            raise broken()
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member unpacked piece by piece."""
        if name not in self._sizes:
            raise broken()
        try:
            with self._zip.open(name) as member:
                while chunk := member.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise broken() from error


@dataclass(frozen=True)
class Handlers:
    """What is done with elements (names without prefix) and the text between."""

    start: Callable[[str, Attributes], Any]
    end: Callable[[str], Any] | None = None
    text: Callable[[str], Any] | None = None


def parser_of(handlers: Handlers) -> expat.XMLParserType:
    """An XML parser that refuses document types, and with them every entity."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handlers.start
    if handlers.end is not None:
        parser.EndElementHandler = handlers.end
    if handlers.text is not None:
        parser.CharacterDataHandler = handlers.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def feed(parser: expat.XMLParserType, chunk: bytes, *, last: bool = False) -> None:
    """Raises Refusal where the XML is broken."""
    try:
        parser.Parse(chunk, last)
    except expat.ExpatError as error:
        raise broken() from error


def local(name: str) -> str:
    """An element's or attribute's name without its prefix."""
    return name.rpartition(":")[2]


def elements(content: bytes) -> list[tuple[str, Attributes]]:
    """All elements of a small part in order, names without prefix."""
    found: list[tuple[str, Attributes]] = []
    handlers = Handlers(lambda name, at: found.append((local(name), {local(k): v for k, v in at.items()})))
    feed(parser_of(handlers), content, last=True)
    return found


def relations(package: Package, of: str) -> dict[str, tuple[str, str]]:
    """Id -> (type, member) of what a member refers to; "" is the package itself."""
    folder, name = posixpath.split(of)
    content = package.part(posixpath.join(folder, "_rels", f"{name}.rels"))
    found = {}
    for tag, at in elements(content) if content else ():
        if tag == "Relationship" and at.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, at.get("Target", "")))
            found[at.get("Id", "")] = (at.get("Type", "").rpartition("/")[2], target.lstrip("/"))
    return found


def broken() -> Refusal:
    """The one answer to a file that is damaged or no spreadsheet."""
    message = "文件已损坏或不是有效的xlsx文件，请在Excel或WPS中打开后另存为xlsx再上传。"
    return _refusal("roster_broken", message)


def _refusal(code: str, message: str) -> Refusal:
    """The file as a whole is at fault: the pointer is that of the body."""
    return invalid(code, message, [Fault(code, message, "")])


def _refuse_doctype(*_: object) -> None:
    raise broken()
