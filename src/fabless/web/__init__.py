"""The web door: the page of a case, live, and pages beside it."""
