"""A planner who plans again every quarter on what a path has shown: a small look-ahead programme
over all quarters still to come, of which only the orders due now are placed."""
