"""Calibrate the silicon models on known products and write docs/results/silicon.md.

    python docs/silicon_results.py           rewrite the table, and say which calibrated facts would change
    python docs/silicon_results.py --check   exit 1 if the table or a calibrated fact says something else
"""

from __future__ import annotations

import sys
from pathlib import Path

import fabless as fb
from fabless.silicon.products import fit_silicon, silicon_results_page

PAGE = Path(__file__).parent / "results" / "silicon.md"


def main() -> None:
    """Rewrite, or check."""
    catalogue = fb.load()
    calibration = fit_silicon(catalogue)
    page = silicon_results_page(catalogue, calibration)
    stale = [
        f"{entity} {field}: calibrated {value:.4g} {unit}, in the facts {now:.4g}"
        for entity, field, value, unit, now in calibration.parameters(catalogue)
        if abs(value / now - 1) > 0.005
    ]
    print("\n".join(stale) or "calibrated facts are current")
    if "--check" in sys.argv:
        sys.exit(bool(stale) or page != PAGE.read_text(encoding="utf-8"))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
