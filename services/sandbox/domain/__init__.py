"""Pure rules of the outside world: what goes wrong, what the carrier takes and reports, how a mail reads."""
