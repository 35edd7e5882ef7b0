"""The pages: the door, one's own sign-in, the court's data, and for the administrator the list of members."""

from services.staff.pages import court, door, factor, members, record, second, tokens

routes = (door.routes, second.routes, court.routes, record.routes, tokens.routes, factor.routes, members.routes)
