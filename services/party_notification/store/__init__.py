"""Tables and every query of party_notification."""
