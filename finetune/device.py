"""Where training runs: processor or GPU, in which precision, and as which of the processes that torchrun started."""

from __future__ import annotations

import os

import torch
from torch import distributed


def device_of(wanted: str) -> str:
    """Return "cpu" or "cuda"; "auto" is a GPU where there is one."""
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def has_bf16(device: str) -> bool:
    """Tell whether half the bits are also faster; on a processor without such instructions they are slower."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def attention_on(device: str) -> str | None:
    """Return how an encoder attends: on a processor the fused kernel's way back costs more than it saves.

    None leaves it to transformers, which takes the fastest way that the kind of model has.
    """
    return "eager" if device == "cpu" else None


def joined(device: str) -> tuple[int, int]:
    """Return this process's number and how many there are, after joining them where torchrun started several."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return 0, 1
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    return distributed.get_rank(), world
