"""The bench: cases filed by an import, measured to what the outside world received. See docs/bench.md."""
