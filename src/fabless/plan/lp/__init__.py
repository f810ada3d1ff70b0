"""The linear programme: one function for each family of variables and constraints."""
