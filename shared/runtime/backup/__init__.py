"""Keeping and bringing back the whole product: the databases of one moment in a file, the keys in another."""
