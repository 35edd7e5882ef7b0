"""What happened on the line, in words for staff. The outcome of a send is decided elsewhere; the class goes to the log.

The transport gives a line that was cut the class of a failed connection, so the causes behind an exception are read.
"""

import socket
import ssl
from collections.abc import Iterator

import aiohttp
import httpx
from aiosmtplib import SMTPException, SMTPNotSupported, SMTPServerDisconnected

_WORDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError), "对方的安全证书未通过验证"),
    ((ssl.SSLError,), "未能建立加密连接"),
    ((socket.gaierror,), "找不到对方服务器的网络地址"),
    ((ConnectionRefusedError,), "对方拒绝连接"),
    ((TimeoutError,), "等待超时"),
    ((ConnectionResetError, ConnectionAbortedError, BrokenPipeError, EOFError), "连接中途断开"),
    ((SMTPServerDisconnected, aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError), "连接中途断开"),
    ((SMTPNotSupported,), "对方不支持所要求的安全连接或登录方式"),
    ((OSError, aiohttp.ClientConnectionError, httpx.NetworkError), "连接未能建立"),
    ((SMTPException, aiohttp.ClientError, httpx.HTTPError), "对方的答复不完整或不合规范"),
)
_OURS = "系统内部出错，详情已记入运行日志"


def in_words(error: BaseException) -> str:
    """A Chinese clause without a full stop, without anything that the exception itself says."""
    chain = tuple(_chain(error))
    for kinds, words in _WORDS:
        if any(isinstance(each, kinds) for each in chain):
            return words
    return _OURS


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
