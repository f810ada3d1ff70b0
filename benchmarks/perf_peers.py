"""One static point after another of a peer's inference model; `benchmarks/perf.py` runs this under
the peer's interpreter.

    python benchmarks/perf_peers.py (llm-analysis|infersim) FOLDER POINTS

FOLDER is a checkout of cli99/llm-analysis or of alibaba/InferSim (both Apache-2.0, no part of this
repository). The sweep is that of `perf.py`; each peer is set up once for each tensor parallelism,
and memory is made large, so that it answers every point. InferSim has no H100: its H200 stands in
(no tables: fixed efficiencies), and its printing goes to a sink. Prints points and seconds as JSON.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

BATCHES = range(1, 257)
LENGTHS = ((1024, 256), (4096, 1024))
TENSOR = (1, 2, 4, 8)
LLAMA = {
    "model_type": "llama", "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64,
    "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 28672, "vocab_size": 128256,
}

Point = Callable[[int, int, int], object]


def llm_analysis() -> list[Point]:
    """Its `inference`, prefill and decode, for each tensor parallelism."""
    import logging

    from llm_analysis.analysis import LLMAnalysis
    from llm_analysis.config import (
        ModelConfig,
        ParallelismConfig,
        get_dtype_config_by_name,
        get_gpu_config_by_name,
    )
    from llm_analysis.logger import logger

    logger.setLevel(logging.CRITICAL)
    model = ModelConfig(
        name="llama-3.1-70b", num_layers=80, n_head=64, hidden_dim=8192, vocab_size=128256,
        num_key_value_heads=8, ffn_embed_dim=28672, model_type="llama", mlp_gated_linear_units=True,
    )
    chip = get_gpu_config_by_name("h100-sxm-80gb")
    chip.mem_per_GPU_in_GB = 1e6

    def point(tensor: int) -> Point:
        analysis = LLMAnalysis(
            model, chip, get_dtype_config_by_name("w16a16e16"), ParallelismConfig(tp_size=tensor),
            flops_efficiency=0.7, hbm_memory_efficiency=0.8,
        )
        return lambda batch, entered, written: analysis.inference(batch, entered, written)

    return [point(tensor) for tensor in TENSOR]


def infersim() -> list[Point]:
    """Its `prefill` and `decoding` with what they need of sizes before them, for each tensor
    parallelism."""
    from config.model_config import ModelConfig
    from models.model import Model

    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(LLAMA, file)
        file.flush()
        config = ModelConfig(file.name)

    def point(tensor: int) -> Point:
        def answer(batch: int, entered: int, written: int) -> None:
            model = Model(
                Namespace(
                    device_type="H200", world_size=tensor, tp_size=tensor, num_nodes=1,
                    max_prefill_tokens=batch * entered, decode_bs=batch, target_tgs=2560,
                    target_tpot=50, target_isl=entered, target_osl=written, use_fp8_gemm=False,
                    use_fp8_kv=False, enable_deepep=False, enable_tbo=False, sm_ratio=1.0,
                ),
                config,
            )
            model.print_weights_info()
            model.print_kvcache_info()
            model.print_flops_info()
            model.prefill()
            model.decoding()
        return answer

    return [point(tensor) for tensor in TENSOR]


def main() -> None:
    """Run a part of the sweep, spread over all of it."""
    peer, folder, wanted = sys.argv[1], Path(sys.argv[2]).resolve(), int(sys.argv[3])
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    points = {"llm-analysis": llm_analysis, "infersim": infersim}[peer]()
    sweep = list(itertools.product(points, BATCHES, LENGTHS))
    done = 0
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.process_time()
        for point, batch, lengths in sweep[::max(len(sweep) // wanted, 1)]:
            point(batch, *lengths)
            done += 1
        seconds = time.process_time() - start
    print(json.dumps({"points": done, "seconds": seconds}))


if __name__ == "__main__":
    main()
