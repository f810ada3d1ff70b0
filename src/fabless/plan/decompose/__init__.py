"""Plans on large trees, taken apart at a branching."""
