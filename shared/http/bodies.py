"""How much a request may bring. Each route declares it; what declares nothing takes no more than a form needs.

Reading a text costs time in proportion to its length, and whoever asks without signing in pays nothing for it.
"""

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from shared.errors import TooLarge

_KIB = 1024
FORM = 128 * _KIB
"""What anybody may send: the longest text of a form (5,000 rare characters) takes 60 KB as a browser writes it."""
RECORD = 1024 * _KIB
"""What somebody who is signed in may send: a case with all its parties, a page of corrected cells."""
RECEIPTS = 2048 * _KIB
"""A thousand receipts of a carrier."""
UPLOAD = 32 * 1024 * _KIB
"""A file. Nothing that is longer reaches any route."""


def too_large(most: int) -> TooLarge:
    """The refusal of what is longer than `most` bytes."""
    size = f"{most // _KIB} KB" if most < RECORD else f"{most // RECORD} MB"
    return TooLarge("too_large", f"内容超过{size}，请缩短或者拆分后再提交。")


def refuse_longer(headers: Headers, most: int) -> None:
    """Raises TooLarge for a body that says by itself that it is longer."""
    length = headers.get("content-length", "0")
    if length.isascii() and length.isdecimal() and int(length[:18]) > most:
        raise too_large(most)


def up_to(receive: Receive, most: int) -> Receive:
    """The body as it comes; it raises TooLarge as soon as more than `most` bytes have come."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise too_large(most)
        return message

    return limited
