"""The rules of filing: pure, without input or output."""
