"""Facts: rows with sources, read, checked and made into records as of a day."""
