"""The tables of stage tracking and every query on them. Functions take an open connection."""
