"""The acts of party_notification, one function per act."""
