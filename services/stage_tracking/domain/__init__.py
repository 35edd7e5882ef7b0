"""The rules of stage tracking. Pure: no database, no network, no clock of its own."""
