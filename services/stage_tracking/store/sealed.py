"""Which columns are sealed. What the case log holds is sealed, too, and stays as it was written."""

from services.stage_tracking.store.tables import looks, tasks
from shared.db.sealed import SealedTable

SEALED = (SealedTable(tasks, {"detail": "{case_id}"}), SealedTable(looks, {"reason": "{look_id}"}))
