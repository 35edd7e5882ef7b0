"""Append-only hash chains, one per case."""
