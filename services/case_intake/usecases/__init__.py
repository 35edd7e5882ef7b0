"""The acts of filing: each is one transaction that writes its rows and tells its events."""
