"""What happened, held fixed: what each way, perfect foresight and the company's own orders come to
on it."""
