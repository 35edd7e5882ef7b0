"""What a file is that is no table, by its first bytes: its sender is told that, not that it is broken."""

import re

_STARTS = (
    (b"%PDF-", "PDF文件"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"Rar!", "压缩包"),
    (b"7z\xbc\xaf", "压缩包"),
    (b"\x1f\x8b", "压缩包"),
    (b"{\\rtf", "Word文档（RTF）"),
    (b"MIME-Version:", "网页（MHT）"),
)
_MARKUP = (
    (re.compile(rb"<\?mso-application|urn:schemas-microsoft-com:office:spreadsheet", re.IGNORECASE), "旧版XML表格"),
    (re.compile(rb"<(!doctype\s+html|html|head|body|table|meta|style|script)\b", re.IGNORECASE), "网页（HTML）"),
    (re.compile(rb"<\?xml\b", re.IGNORECASE), "XML文件"),
)
_LOOKED_AT = 4096
_BLANK = b"\xef\xbb\xbf\x00 \t\r\n"


def foreign(content: bytes) -> str | None:
    """The refusal of a file of another kind; None when it may be a table."""
    start = content[:_LOOKED_AT].lstrip(_BLANK)
    kind = next((word for mark, word in _STARTS if start.startswith(mark)), None)
    if kind is None and start.startswith(b"<"):
        kind = next((word for mark, word in _MARKUP if mark.search(start)), None)
    return None if kind is None else foreign_words(kind)


def foreign_words(kind: str) -> str:
    """The refusal of a file of a kind."""
    return f"这是{kind}，不是表格。请在表格软件中打开原表格，另存为“Excel工作簿（.xlsx）”或CSV后上传。"
