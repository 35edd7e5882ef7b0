"""Pure rules of the notices: who is owed what, how it may travel, what became of it, when it took effect."""
