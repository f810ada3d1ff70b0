"""The text of a formula, from the function that computes it: called with symbols it writes itself
down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fabless.units import YEAR_S

_SUM, _PRODUCT, _POWER, _ATOM = range(4)


@dataclass(frozen=True)
class Symbol:
    """An expression: its text and how tightly its outermost operator binds."""

    text: str
    binding: int = _ATOM

    def _inside(self, binding: int) -> str:
        return self.text if self.binding >= binding else f"({self.text})"

    def __add__(self, other: Symbol) -> Symbol:
        return Symbol(f"{self.text} + {other.text}", _SUM)

    def __radd__(self, other: int) -> Symbol:
        """Let `sum` start from its zero."""
        return self

    def __sub__(self, other: float) -> Symbol:
        return Symbol(f"{self.text} - {other:g}", _SUM)

    def __rsub__(self, other: float) -> Symbol:
        return Symbol(f"{other:g} - {self._inside(_PRODUCT)}", _SUM)

    def __mul__(self, other: Symbol) -> Symbol:
        return Symbol(f"{self._inside(_PRODUCT)} x {other._inside(_PRODUCT)}", _PRODUCT)

    def __truediv__(self, other: Symbol | float) -> Symbol:
        below = other if isinstance(other, Symbol) else Symbol("1 year" if other == YEAR_S else f"{other:g}")
        return Symbol(f"{self._inside(_PRODUCT)} / {below._inside(_POWER)}", _PRODUCT)

    def __rtruediv__(self, other: float) -> Symbol:
        return Symbol(f"{other:g} / {self._inside(_POWER)}", _PRODUCT)

    def __pow__(self, other: Symbol) -> Symbol:
        return Symbol(f"{self._inside(_ATOM)} ^ {other._inside(_ATOM)}", _POWER)


def formula_text(function: Callable[..., object], texts: Mapping[str, str]) -> str:
    """Write a formula with the given texts for its arguments.

    Limits: sums, products, quotients and powers of the arguments, numbers less them or over them.

    >>> formula_text(lambda price, life: price / (life + life), {"price": "2 USD", "life": "4 year"})
    '2 USD / (4 year + 4 year)'
    """
    written = function(**{name: Symbol(text) for name, text in texts.items()})
    assert isinstance(written, Symbol)
    return written.text
