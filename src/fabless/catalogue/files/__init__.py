"""Files that people bring: chips, traces, claims, measured results."""
