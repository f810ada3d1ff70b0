"""The answer of a past day held against what happened."""

from fabless.backtest.results import Backtest, PooledBacktest
from fabless.backtest.run import backtest, backtest_all, cases_with_truths

__all__ = ["Backtest", "PooledBacktest", "backtest", "backtest_all", "cases_with_truths"]
