"""Many rows in one statement whose text never changes: columns travel as arrays, and PostgreSQL unnests them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import TableValuedAlias, bindparam, column, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

Columns = Mapping[str, type[TypeEngine[Any]] | TypeEngine[Any]]


def unnested(columns: Columns) -> TableValuedAlias:
    """The rows given as one array parameter per column, in their order."""
    given = [bindparam(f"{each}s", type_=ARRAY(kind)) for each, kind in columns.items()]
    named = [column(each, kind) for each, kind in columns.items()]
    return func.unnest(*given).table_valued(*named).render_derived(name="given")


def arrays(columns: Columns, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The parameters of `unnested`."""
    return {f"{each}s": [row[each] for row in rows] for each in columns}
