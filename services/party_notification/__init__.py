"""Notices that the law owes the parties: rendered, sent by SMS and mail, and proved."""
