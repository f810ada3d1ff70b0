"""The first page of a report: its data, its sentences, its drawings, and the file they go into."""
