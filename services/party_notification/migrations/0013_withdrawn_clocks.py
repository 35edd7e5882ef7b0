"""A clock that was withdrawn leaves the parties' pages too: what is deleted makes a case's pages stale as well."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute(
        "CREATE TRIGGER clocks_stale_delete AFTER DELETE ON clocks REFERENCING OLD TABLE AS changed "
        "FOR EACH STATEMENT EXECUTE FUNCTION note_stale_pages()"
    )
    # Pages that still show a clock withdrawn before now are written anew.
    op.execute("INSERT INTO stale_pages (case_id) SELECT DISTINCT case_id FROM party_pages")
