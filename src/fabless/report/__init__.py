"""A decision made readable: terminal, HTML and JSON, all from the same formatter of numbers."""
