"""``python -m fabless``."""

from fabless.cli import main

main()
