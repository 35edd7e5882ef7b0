"""Which columns are sealed, and which are keyed hashes."""

from services.case_intake.domain.search import same_name
from services.case_intake.store.tables import cases, import_drafts, import_groups, imports, parties
from shared.contracts.cases import PartyIdentity
from shared.db.sealed import Hashed, Opened, SealedTable


def _identity(opened: Opened) -> PartyIdentity:
    return PartyIdentity.model_validate_json(opened["identity"])


SEALED = (
    SealedTable(cases, {"obligation": "{id}"}),
    SealedTable(
        parties,
        {"identity": "{id}"},
        {
            "id_index": Hashed("id_number", lambda opened: _identity(opened).id_number),
            "name_index": Hashed("name", lambda opened: same_name(_identity(opened).name)),
            "phone_index": Hashed("phone", lambda opened: _identity(opened).phone),
        },
    ),
    SealedTable(imports, {"file_name": "{id}/name", "file": "{id}/file"}),
    SealedTable(import_groups, {"rows": "{import_id}/{position}"}),
    SealedTable(
        import_drafts,
        {"file_name": "{id}/name", "file": "{id}/file", "table_read": "{id}/table", "mends": "{id}/mends"},
    ),
)
