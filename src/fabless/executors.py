"""Where independent pieces of work run: this process, processes of this machine, or a Dask cluster;
lost workers replaced.

A piece of work is a pure function of picklable arguments, so that it can be given to another worker
when one dies, and the answer does not depend on where it ran.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from multiprocessing import active_children, forkserver, get_context
from types import TracebackType
from typing import Any, TypeVar

from fabless.errors import BadValue, Fault, unknown

NAMES = ("serial", "process", "dask")
WAITING = 4
"""Pieces handed to an executor ahead of what it has done, for each worker."""
UNSAID = 16
"""Workers taken for granted where an executor does not say how many it has, as a cluster's does
not."""
TRIES = 3
"""Executors made for one round of work, the broken ones included."""

_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Environment variables from which libraries for linear algebra take their number of threads."""
_LOADED = ("highspy", "numba", "scipy.sparse", "scipy.special", "scipy.stats")
"""What takes long to import and most work needs; loaded while this process goes on."""

Executors = Callable[[], AbstractContextManager[Executor]]
"""Makes an executor; called again when one broke."""
Result = TypeVar("Result")


def executors_of(name: str, workers: int = 2, address: str | None = None) -> Executors | None:
    """Make what `Workers` takes; None for this process.

    Parameters: `name` serial, process or dask; `workers` processes; `address` of a Dask scheduler (None: a cluster of
    `workers` processes on this machine). Raises `UnknownName`, and `BadValue` where Dask is not
    installed.
    """
    if name not in NAMES:
        raise unknown("executor", name, NAMES, "--executor")
    if name == "serial":
        return None
    if name == "process":
        return lambda: processes(workers)
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise BadValue(Fault("--executor", "dask, which is not installed", ", ".join(NAMES[:2]),
                             "install the extra: pip install 'fabless[scale]'")) from error
    return lambda: _dask(workers, address)


class Workers:
    """Runs rounds of work on an executor that lives through all of them; leave it to stop the
    workers."""

    def __init__(self, executor: Executor | Executors | None) -> None:
        """Take an executor, a maker of them, or None for this process.

        An executor that breaks is replaced where there is a maker; where there is none, its work
        goes on in this process.
        """
        self._maker = executor if executor is None or not isinstance(executor, Executor) else None
        self._executor = executor if isinstance(executor, Executor) else None
        self._stack = ExitStack()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def results(
        self, function: Callable[..., Result], keys: Sequence[int],
        arguments: Callable[[int], tuple[Any, ...]],
    ) -> Iterator[tuple[int, Result]]:
        """Call `function` with the arguments of each key and give key and result as they come.

        Arguments are asked for only a few pieces ahead. A piece whose worker died is given to a new
        executor.
        """
        left = list(keys)
        for attempt in range(TRIES):
            executor = self._running()
            if executor is None:
                yield from ((key, function(*arguments(key))) for key in left)
                return
            try:
                for key, result in _through(executor, function, tuple(left), arguments):
                    left.remove(key)
                    yield key, result
                return
            except BrokenExecutor:
                self._drop()
                if attempt == TRIES - 1:
                    raise

    def _running(self) -> Executor | None:
        if self._executor is None and self._maker is not None:
            self._executor = self._stack.enter_context(self._maker())
        return self._executor

    def _drop(self) -> None:
        self._stack.close()
        self._executor = None


def _through(
    executor: Executor, function: Callable[..., Result], keys: Sequence[int],
    arguments: Callable[[int], tuple[Any, ...]],
) -> Iterator[tuple[int, Result]]:
    waiting: dict[Future[Result], int] = {}
    coming = iter(keys)
    ahead = WAITING * max(1, int(getattr(executor, "_max_workers", UNSAID) or UNSAID))
    try:
        while True:
            while len(waiting) < ahead:
                key = next(coming, None)
                if key is None:
                    break
                waiting[executor.submit(function, *arguments(key))] = key
            if not waiting:
                return
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                key = waiting.pop(future)
                yield key, future.result()
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """Processes of this machine, ended at once when the work inside fails or is interrupted."""
    others = set(active_children())
    _start_server()
    pool = ProcessPoolExecutor(workers, mp_context=get_context("forkserver"), initializer=_ignore_interrupts)
    try:
        yield pool
    except BaseException:
        for worker in set(active_children()) - others:
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start_server() -> None:
    """Start the process that workers are copied from, with the libraries they need loaded once and
    one thread for linear algebra in each.

    More threads would wait for work in a busy loop, at the cost of the other workers: the vectors of a plan
    are long enough to wake them and too short to gain. What the user has set stays.
    """
    missing = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(missing, "1"))
    forkserver.set_forkserver_preload(["__main__", *_LOADED])
    try:
        forkserver.ensure_running()
    finally:
        for name in missing:
            del os.environ[name]


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal; the one that started the workers ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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
