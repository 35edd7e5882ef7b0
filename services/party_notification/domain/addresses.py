"""When two addresses are the same, and what anybody may name one by. Pure."""

ADDRESS, END = "address", "contact end"
"""What their keyed hashes are for."""


def same(address: str) -> str:
    """A telephone or a mailbox in its one form."""
    return address.lower()


def end_of(address: str) -> str:
    """A mailbox whole, of a telephone the last four digits: what is typed by whoever cannot be asked for all of it."""
    return address.lower() if "@" in address else address[-4:]
