"""A mail's bytes, read back by the standard library."""

import email
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.party_notification.channels.mime import Attachment, Letter, build_mail

NAME = "执行通知书（2026）渝05执1234号（附：被执行人权利义务及风险告知书）.html"
ID = "<0190f3a0-1111-7222-8333-444455556666@mail.zhixing.chongqing-wuzhongyuan.example.cn>"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def letter(**changes: object) -> Letter:
    values: dict[str, object] = {
        "sender": "重庆市第五中级人民法院 <zhixing@example.cn>",
        "recipient": "party@example.cn",
        "subject": "（2026）渝05执1234号案件受理通知，请及时查阅并按文书载明的期限办理",
        "text": "第一行\n.单独的点\nFrom 开头",
        "html": "<p>" + "很长的一行" * 1000 + "</p>",
        "message_id": ID,
        "sent_at": datetime(2026, 11, 23, 6, 5, tzinfo=UTC),
        "attachments": (Attachment(NAME, "<p>文书</p>".encode()), Attachment("证.pdf", PNG, "application/pdf")),
        "qr_png": PNG,
    }
    return Letter(**{**values, **changes})  # type: ignore[arg-type]


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_headers_come_back_as_given():
    message = parsed(build_mail(letter()))
    assert message["Subject"] == letter().subject
    assert message["From"] == letter().sender
    assert message["Message-ID"] == ID
    assert message["Date"] == "Mon, 23 Nov 2026 14:05:00 +0800"
    assert message["Auto-Submitted"] == "auto-generated"
    assert f"Message-ID: {ID}\r\n".encode() in build_mail(letter())


def test_text_html_picture_and_files_come_back_exactly():
    message = parsed(build_mail(letter()))
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == letter().text.splitlines()
    assert html.get_content().strip() == letter().html
    files = list(message.iter_attachments())
    assert [file.get_filename() for file in files] == [NAME, "证.pdf"]
    assert [file.get_content_type() for file in files] == ["text/html", "application/pdf"]
    assert [file.get_payload(decode=True) for file in files] == ["<p>文书</p>".encode(), PNG]
    (picture,) = [part for part in message.walk() if part["Content-ID"] == "<qr@inline>"]
    assert picture.get_payload(decode=True) == PNG
    assert not [part.defects for part in message.walk() if part.defects]


def test_bytes_are_ready_for_data():
    raw = build_mail(letter())
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) < 998
    assert not [line for line in lines if line.startswith(b".")]


def test_the_same_input_gives_the_same_bytes():
    assert build_mail(letter()) == build_mail(letter())
    assert build_mail(letter()) != build_mail(letter(message_id="<2@example.cn>"))


def test_without_picture_and_files():
    message = parsed(build_mail(letter(qr_png=None, attachments=())))
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "好\r\nBcc: x@example.cn"},
        {"subject": "a\nBcc: x@example.cn"},
        {"recipient": "a@example.cn\r\nBcc: x@example.cn"},
        {"sender": "法院\n <a@example.cn>"},
        {"message_id": "<1@a>\r\nX: 1"},
        {"message_id": "<一@a>"},
        {"attachments": (Attachment("a\r\nX: 1.html", b""),)},
    ],
)
def test_no_header_can_be_smuggled_in(change):
    with pytest.raises(ValueError, match=r"."):
        build_mail(letter(**change))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp", "Zs"]), min_size=1, max_size=80))
def test_any_file_name_comes_back(name):
    raw = build_mail(letter(attachments=(Attachment(name, b"x"),)))
    (file,) = parsed(raw).iter_attachments()
    assert file.get_filename() == name
    assert max(map(len, raw.split(b"\r\n"))) < 998
