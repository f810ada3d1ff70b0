"""One programme solved, explained and bounded."""
