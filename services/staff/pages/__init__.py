"""The pages: the door, one's own password, the court's data, and for the administrator the list of members."""

from services.staff.pages import court, door, members, record, tokens

routes = (door.routes, court.routes, record.routes, tokens.routes, members.routes)
