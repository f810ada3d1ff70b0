"""Serving: a load on an instance of chips, step by step and at its steady state."""
