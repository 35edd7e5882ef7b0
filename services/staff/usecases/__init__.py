"""The acts of the staff service."""
