"""Executors by name: this process, processes of this machine, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from fabless.errors import BadValue, Fault, unknown
from fabless.explore.sweep import Executors

NAMES = ("serial", "process", "dask")


def executors_of(name: str, workers: int = 2, address: str | None = None) -> Executors | None:
    """Make what `sweep` takes as `executors`; None for this process.

    Parameters: `name` serial, process or dask; `workers` processes; `address` of a Dask scheduler (None: a cluster of
    `workers` processes on this machine). Raises `UnknownName`, and `BadValue` where Dask is not installed.
    """
    if name not in NAMES:
        raise unknown("executor", name, NAMES, "--executor")
    if name == "serial":
        return None
    if name == "process":
        return lambda: _processes(workers)
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise BadValue(Fault("--executor", "dask, which is not installed", ", ".join(NAMES[:2]),
                             "install the extra: pip install 'fabless[scale]'")) from error
    return lambda: _dask(workers, address)


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool


@contextmanager
def _dask(workers: int, address: str | None) -> Iterator[Executor]:
    from distributed import Client, LocalCluster

    if address is not None:
        with Client(address) as client:  # type: ignore[no-untyped-call]
            yield client.get_executor(pure=False, retries=3)
        return
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,  # type: ignore[no-untyped-call]
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        yield client.get_executor(pure=False, retries=3)
