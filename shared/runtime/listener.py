"""The port is taken before anything else begins: a start that cannot be is told at once."""

import socket

from shared.settings import RunSettings


class LaunchError(Exception):
    """The product cannot start like this; the message says what to do, in Chinese."""


def listener(run: RunSettings) -> socket.socket:
    """The socket on which this process will answer, bound and not yet listening. Raises LaunchError."""
    return _bound(run.host, run.port, "YANGGUANG_PORT")


def check_mail_port(run: RunSettings) -> None:
    """Look whether the sandbox's mail server will find its port free. Raises LaunchError."""
    _bound("127.0.0.1", run.smtp_port, "YANGGUANG_SANDBOX_SMTP_PORT").close()


def _bound(host: str, port: int, setting: str) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise LaunchError(f"不认识监听地址 {host}：请检查 YANGGUANG_HOST，本机试用请写 127.0.0.1。") from None
    found = socket.socket(family, kind, protocol)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(address)
    except (OSError, OverflowError):
        found.close()
        raise LaunchError(
            f"端口 {port} 不能使用，可能已有程序（或另一个阳光执行）占用，系统没有启动。"
            f"请先停止那个程序，或者用 {setting} 换一个端口，例如 {setting}={min(port, 65435) + 100}。"
        ) from None
    return found
