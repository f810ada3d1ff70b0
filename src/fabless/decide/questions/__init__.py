"""What is asked of an answer: what changes it, what knowledge and options are worth, how it
holds."""
