"""Cases: what may be written in one, its faults, and the record that it becomes."""
