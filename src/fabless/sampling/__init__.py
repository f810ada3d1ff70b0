"""Ranges become distributions; many of them are drawn together."""

from fabless.sampling.correlation import (
    conditional,
    correlation_faults,
    correlation_matrix,
    groups,
    interval,
    lower_root,
    nearest_correlation,
)
from fabless.sampling.laws import (
    chances,
    coupled,
    draw,
    exceeding,
    mean,
    plain_stream,
    quantile,
    scores,
    sliced,
    stratified,
    stream,
    stretched,
    uniforms,
)

__all__ = [
    "chances", "conditional", "correlation_faults", "correlation_matrix", "coupled", "draw",
    "exceeding", "groups", "interval", "lower_root", "mean", "nearest_correlation", "plain_stream", "quantile",
    "scores", "sliced", "stratified", "stream", "stretched",
    "uniforms",
]
