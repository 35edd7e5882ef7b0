"""The tables of the staff service, and every query."""
