"""The pages: the door, one's own password, and for the administrator the list of members."""

from services.staff.pages import door, members

routes = (door.routes, members.routes)
