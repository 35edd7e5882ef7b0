"""A workbook as it is packed: an archive of XML parts, unpacked within limits and looked at part by part.

What passes is packed anew in an archive of our own making, which holds only the parts that a reader of tables needs.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from services.case_intake.domain.formats import foreign_words
from services.case_intake.domain.places import BROKEN, TOO_LARGE, Part, Places
from services.case_intake.domain.refusals import refusal

PACKED = b"PK\x03\x04"
LOCKED = "文件设有密码，无法读取。请在表格软件中取消密码，另存后重新上传。"
_MOST_BYTES = 96 * 1024 * 1024
_MOST_PARTS = 2000
_PIECE = 1 << 18
_BOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_NEEDED = frozenset({"workbook", "worksheet", "sst", "styleSheet", "Relationships", "Types"})
_BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError, RuntimeError)
_TRUE = {"1", "true"}
_OTHER_KINDS = {
    "word/document.xml": "Word文档",
    "ppt/presentation.xml": "演示文稿",
    "content.xml": "OpenDocument文件",
    "xl/workbook.bin": "二进制工作簿（.xlsb）",
}


@dataclass(frozen=True)
class Unpacked:
    """The workbook's needed parts in a new archive; its sheets' places by the sheets' names; how it counts days."""

    plain: bytes
    sheets: Mapping[str, Places]
    since_1904: bool


def unpack(content: bytes, max_rows: int) -> Unpacked:
    """Unpack and look at everything. Raises Invalid in words for an archive that cannot be taken."""
    kept = io.BytesIO()
    try:
        with (
            zipfile.ZipFile(io.BytesIO(content)) as packed,
            zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as plain,
        ):
            parts = _parts(packed, plain, max_rows)
    except _BAD_ARCHIVE:
        raise refusal(BROKEN) from None
    return Unpacked(kept.getvalue(), _sheets(parts), _since_1904(parts))


def _parts(packed: zipfile.ZipFile, plain: zipfile.ZipFile, max_rows: int) -> dict[str, Part]:
    entries = packed.infolist()
    names = {entry.filename.lower() for entry in entries}
    for name, kind in _OTHER_KINDS.items():
        if name in names and _BOOK not in names:
            raise refusal(foreign_words(kind))
    if len(entries) > _MOST_PARTS or len(names) < len(entries):
        raise refusal(BROKEN)
    parts: dict[str, Part] = {}
    left = _MOST_BYTES
    for entry in entries:
        if entry.flag_bits & 1:
            raise refusal(LOCKED)
        if entry.filename.endswith((".xml", ".rels")):
            if entry.file_size > left:
                raise refusal(TOO_LARGE)
            parts[entry.filename.lower()] = part = Part(max_rows)
            with packed.open(entry) as xml:
                left -= _copied(xml, part, plain, entry.filename)
    return parts


def _copied(xml: IO[bytes], part: Part, plain: zipfile.ZipFile, name: str) -> int:
    """Look at one part, and keep it if it is needed; its bytes. What its first piece does not name is not needed."""
    piece, size = xml.read(_PIECE), 0
    part.take(piece)
    with plain.open(name, "w") if part.root in _NEEDED else io.BytesIO() as kept:
        while piece:
            kept.write(piece)
            size += len(piece)
            piece = xml.read(_PIECE)
            part.take(piece)
    part.take(b"", last=True)
    return size


def _heads(parts: Mapping[str, Part], part: str, name: str) -> list[dict[str, str]]:
    return [given for found, given in parts[part].heads if found == name] if part in parts else []


def _since_1904(parts: Mapping[str, Part]) -> bool:
    return any(given.get("date1904") in _TRUE for given in _heads(parts, _BOOK, "workbookPr"))


def _sheets(parts: Mapping[str, Part]) -> dict[str, Places]:
    targets = {given.get("Id"): given.get("Target", "") for given in _heads(parts, _LINKS, "Relationship")}
    found = {}
    for sheet in _heads(parts, _BOOK, "sheet"):
        part = parts.get(_path(targets.get(sheet.get("id"), "")))
        if part is not None and part.root == "worksheet":
            found[sheet.get("name", "")] = part.scanner.places
    return found


def _path(target: str) -> str:
    """A link of the workbook as a path in the archive."""
    here = target.lower().lstrip("/")
    return here if here.startswith("xl/") else f"xl/{here}"
