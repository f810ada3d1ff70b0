"""Each way tried on paths that its plan never saw."""
