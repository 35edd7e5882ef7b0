"""A series that one far serial carried away goes on where its cases end: such a serial moves none any more."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        WITH numbered AS (
            SELECT c.court, s.kind, s.year, s.last, found[1]::bigint AS serial
            FROM serials s JOIN cases c ON c.court = s.court, LATERAL regexp_match(
                c.case_number, '^（' || s.year || '）' || s.court || s.kind || '([1-9][0-9]{0,11})号$') AS found
            WHERE found IS NOT NULL
        ), gaps AS (
            SELECT *, serial - lag(serial, 1, 0::bigint)
                OVER (PARTITION BY court, kind, year ORDER BY serial) AS gap FROM numbered
        ), far AS (
            SELECT court, kind, year, min(serial) AS serial FROM gaps WHERE gap > 100000 GROUP BY court, kind, year
        ), ends AS (
            SELECT far.court, far.kind, far.year, coalesce(max(n.serial), 0) AS last
            FROM far LEFT JOIN numbered n ON (n.court, n.kind, n.year) = (far.court, far.kind, far.year)
                AND n.serial < far.serial
            GROUP BY far.court, far.kind, far.year
        )
        UPDATE serials SET last = ends.last FROM ends
        WHERE (serials.court, serials.kind, serials.year) = (ends.court, ends.kind, ends.year)
            AND serials.last > ends.last + 100000
    """)
