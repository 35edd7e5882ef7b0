"""Free ports of the loopback."""

import socket


def free_ports(number: int, above: int) -> list[int]:
    """`number` ports that nobody uses now; of each the one `above` it is free too."""
    found: list[int] = []
    while len(found) < number:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if port + above > 65535 or port in found:
                continue
            try:
                second.bind(("127.0.0.1", port + above))
            except OSError:
                continue
            found.append(port)
    return found
