"""Each way laid out as a plan, solved, and read path by path."""
