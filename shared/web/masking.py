"""What is masked by default wherever staff see a party: ID number, telephones, mailbox, address. Names are not.

One list of fields serves every page, API and file; what it does not name is shown.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from shared.contracts.cases import PartyIdentity
from shared.web.formats import masked_id, masked_phone

_KEPT = 6
"""Characters of a postal address that stay: province and city."""


def masked_mail(address: str) -> str:
    """p***@example.com."""
    name, _, host = address.partition("@")
    return f"{name[:1]}***@{host}"


def masked_postal(address: str) -> str:
    """重庆市沙坪坝****."""
    return f"{address.strip()[:_KEPT]}****"


MASKED: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "id_number": masked_id,
        "phone": masked_phone,
        "email": masked_mail,
        "postal_address": masked_postal,
        "guardian_phone": masked_phone,
        "agent_phone": masked_phone,
    }
)
"""How each personal field of a party is masked."""


def masked(field: str, value: str | None) -> str | None:
    """A field's value as it is shown by default."""
    mask = MASKED.get(field)
    return mask(value) if mask is not None and value else value


def masked_identity(who: PartyIdentity) -> PartyIdentity:
    """A party as shown by default."""
    return who.model_copy(update={field: masked(field, getattr(who, field)) for field in MASKED})
