"""Calls of the API, one file a subject."""
