"""A small page whose table of answers follows from formulas, for tests of what moves."""

from __future__ import annotations

import math
from typing import Any

WAYS = ("portfolio", "buy", "build")
COSTS = {"portfolio": (40.0e9, 0.5, 0.8), "buy": (42.0e9, 0.3, 0.2), "build": (45.0e9, 0.4, 0.1)}
"""Way -> total of the case [USD], its powers of growth and of the price."""
AT_REST = {"demand.growth": 2.0, "lines.mi300x.price": 15_000.0, "programmes.own.delay": 0.25}


def levels(way: str, growth: float, price: float, delay: float) -> dict[str, float]:
    total, by_growth, by_price = COSTS[way]
    total *= (growth / 2.0) ** by_growth * (price / 15_000.0) ** by_price
    total *= 1.0 + (0.1 * (delay - 0.25) if way == "build" else 0.0)
    return {
        "cash": 0.7 * total,
        "unserved": 0.2 * total,
        "risk": 0.1 * total,
        "cents": total / 5e13,
        "missing": 0.03 * (growth / 2.0) ** 0.5,
    }


def columns(rows: list[dict[str, float]]) -> dict[str, list[float]]:
    return {key: [row[key] for row in rows] for key in rows[0]}


def spaced(low: float, value: float, high: float, *, log: bool) -> list[float]:
    """Nine values, the case's among them."""
    points = (
        [low * (high / low) ** (k / 7) for k in range(8)]
        if log
        else [low + (high - low) * k / 7 for k in range(8)]
    )
    return sorted([low, *points[1:-1], high, value])


def control(name: str, low: float, high: float, *, log: bool, unit: str) -> dict[str, Any]:
    value = AT_REST[name]
    x = spaced(low, value, high, log=log)
    place = list(AT_REST).index(name)
    at = [[v if k == place else rest for k, rest in enumerate(AT_REST.values())] for v in x]
    return {
        "name": name,
        "label": name.rpartition(".")[2],
        "unit": unit,
        "value": value,
        "low": low,
        "high": high,
        "log": log,
        "grade": "assumption",
        "source": "",
        "known": "",
        "note": "",
        "x": x,
        "levels": {way: columns([levels(way, *each) for each in at]) for way in WAYS},
        "flips": [],
    }


def way(key: str) -> dict[str, Any]:
    at_rest = levels(key, *AT_REST.values())
    total = at_rest["cash"] + at_rest["unserved"] + at_rest["risk"]
    middle = at_rest["cents"]
    return {
        "key": key,
        "name": key.title(),
        "said": key,
        "line": "",
        "action": f"Take {key}.",
        "vendors": [],
        "slot": WAYS.index(key),
        "first": key == "portfolio",
        "p10": middle / 2,
        "p50": middle,
        "p90": middle * 3,
        "mean": middle * 1.2,
        "total": total,
        **{part: at_rest[part] for part in ("cash", "unserved", "risk", "missing")},
        "short": 0.35,
        "meets": False,
        "more": total - 40.0e9,
        "more_error": 0.3e9,
        "tie": False,
        "same_as": "",
        "own": None,
        "tokens_per_query": 900.0 + 10 * WAYS.index(key),
        "queries_per_mw_year": 1.1e9 + 1e7 * WAYS.index(key),
        "dots": [
            {
                "f": k,
                "c": middle * math.exp(0.1 * (k - 10)),
                "s": int(k > 12),
                "t": 900.0 + k,
                "q": 1.1e9,
            }
            for k in range(20)
        ],
    }


def moved_page(texts: dict[str, str]) -> dict[str, Any]:
    controls = [
        control("demand.growth", 0.6, 10.0, log=True, unit="1"),
        control("lines.mi300x.price", 10_000.0, 22_000.0, log=True, unit="USD"),
        control("programmes.own.delay", 0.0, 2.0, log=False, unit="year"),
    ]
    grid = [[0.6, 2.0, 4.0, 7.0, 10.0], [10_000.0, 12_000.0, 15_000.0, 18_000.0, 22_000.0]]
    ways = [way(key) for key in WAYS]
    inputs = [
        {
            **{
                key: each[key]
                for key in (
                    "name",
                    "label",
                    "unit",
                    "value",
                    "low",
                    "high",
                    "grade",
                    "source",
                    "known",
                    "note",
                )
            },
            "source_id": "",
            "url": "",
            "control": True,
            "least": 0.0,
            "most": None,
            "fixed": "",
            "news": "",
            "log": each["log"],
        }
        for each in controls
    ]
    inputs.append(
        {
            **inputs[0],
            "name": "finance.real rate%",
            "label": "real rate",
            "unit": "%",
            "value": 7.0,
            "low": 5.0,
            "high": 9.5,
            "control": False,
        }
    )
    inputs.append(
        {
            **inputs[0],
            "name": "correlations.a",
            "label": "a",
            "fixed": "correlations hold together",
            "control": False,
        }
    )
    return {
        "version": 1,
        "lang": "en",
        "case": {
            "name": "openai-2023",
            "title": "OpenAI in October 2023",
            "as_of": "2023-10-31",
            "digest": "6242b62d",
        },
        "recommended": "portfolio",
        "against": "buy",
        "ways": ways,
        "pairs": {
            f"{a['key']}|{b['key']}": {
                "difference": a["total"] - b["total"],
                "error": 0.3e9,
                "tie": False,
                "decides": True,
                "bridge": [],
            }
            for a in ways
            for b in ways
            if a is not b
        },
        "controls": controls,
        "crossed": [
            {
                "names": ["demand.growth", "lines.mi300x.price"],
                "x": grid,
                "levels": {
                    key: columns([levels(key, g, p, 0.25) for g in grid[0] for p in grid[1]])
                    for key in WAYS
                },
            }
        ],
        "check": {
            "points": 20,
            "median_error": 0.01,
            "worst_error": 0.04,
            "winners_right": 19,
            "leaves": 3,
        },
        "inputs": inputs,
        "futures": {
            "shown": [{"key": key, "f": k} for k, key in enumerate(("cheap", "middle", "dear"))]
        },
        "tries": [],
        "claims": {},
        "verdict": {"action": "Buy.", "numbers": "It costs."},
        "texts": texts,
    }
