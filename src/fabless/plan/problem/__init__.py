"""What is asked of a plan, and what a choice costs."""
