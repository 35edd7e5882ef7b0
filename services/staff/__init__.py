"""People of the court: departments, roles, panels, and the door that they come in by."""
