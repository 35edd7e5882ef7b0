"""Uploaded files are read in a process of their own: nothing that a parser does reaches the server."""
