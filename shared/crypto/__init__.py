"""Sealed fields, keyed hashes, the court's signature, and random codes for people."""
