"""What the ordering rule does on paths that the tree never held."""
