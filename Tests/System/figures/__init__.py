"""Measurements of changes, searches and files; see scripts/conversation-figures."""
