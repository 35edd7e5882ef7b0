"""An empty workbook for imports whose columns are text, so that no spreadsheet turns long numbers into figures.

The fewest parts that ECMA-376 (Office Open XML) part 1 asks of a workbook.
"""

import io
import zipfile

from services.case_intake.domain.words import COLUMNS

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_TEXT_FORMAT = 49
"""`@`, the built-in format of text (ECMA-376 part 1, 18.8.30)."""


def workbook_template() -> bytes:
    """The workbook's bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, xml in _parts().items():
            packed.writestr(name, _HEAD + xml)
    return content.getvalue()


def _parts() -> dict[str, str]:
    titles = "".join(
        f'<c r="{_letter(at)}1" s="1" t="inlineStr"><is><t>{title}</t></is></c>' for at, title in _titles()
    )
    columns = f'<cols><col min="1" max="{len(COLUMNS)}" width="18" style="1" customWidth="1"/></cols>'
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>',
        "_rels/.rels": _links(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}">'
        '<sheets><sheet name="案件" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _links(("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")),
        "xl/styles.xml": _styles(),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}">{columns}'
        f'<sheetData><row r="1">{titles}</row></sheetData></worksheet>',
    }


def _titles() -> list[tuple[int, str]]:
    return list(enumerate(COLUMNS.values()))


def _letter(at: int) -> str:
    return chr(ord("A") + at)


def _links(*targets: tuple[str, str]) -> str:
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{_LINKS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'


def _styles() -> str:
    plain = '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
    text = f'<xf numFmtId="{_TEXT_FORMAT}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    return (
        f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="宋体"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>'
        f'<cellStyleXfs count="1">{plain}</cellStyleXfs><cellXfs count="2">{plain}{text}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
