"""Chip programmes as decisions: which starts, goes on or is given up at which gate."""
