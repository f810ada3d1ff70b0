"""How good would the answer have been? Past cases held against what happened."""
