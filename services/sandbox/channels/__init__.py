"""The protocol ends of the outside world: the carrier's HTTP API and the mail server."""
