"""Mail addresses as they travel."""

from email_validator import EmailNotValidError, validate_email


def on_the_wire(address: str) -> str:
    """The address in ASCII: a domain in other letters as `xn--…` (RFC 5891). What cannot be said so stays as it is."""
    if address.isascii():
        return address
    try:
        found = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return address
    return found.ascii_email or address
