"""A tip carries what the forms let in: a known ground, a known channel, an instant that can be counted with.

What else stands there, nobody sent by the forms: it gets the ground that a tip without one has, and reaches the desk.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

_GROUNDS = "ground IN ('property', 'whereabouts', 'new_property', 'urgent')"
_COUNTED = "arrived_at BETWEEN '2000-01-01Z' AND '2999-12-31Z'"


def upgrade() -> None:
    op.execute("UPDATE tips SET arrived_at = now() WHERE arrived_at NOT BETWEEN '2000-01-01Z' AND '2999-12-31Z'")
    op.execute(
        "UPDATE tips SET ground = 'property' WHERE ground NOT IN ('property', 'whereabouts', 'new_property', 'urgent')"
    )
    op.execute("UPDATE tips SET channel = 'web' WHERE channel <> 'web'")
    op.create_check_constraint("tips_ground", "tips", _GROUNDS)
    op.create_check_constraint("tips_channel", "tips", "channel = 'web'")
    op.create_check_constraint("tips_arrived", "tips", _COUNTED)
