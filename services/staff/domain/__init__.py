"""Who works at the court, what must hold for them, and how they come in. Pure."""
