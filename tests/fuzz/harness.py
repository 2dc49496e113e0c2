"""What the fuzzers have in common: edits of good documents, and how libFuzzer is started."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import atheris


def mutated(provider: atheris.FuzzedDataProvider, whole: bytes) -> bytes:
    """A good document of which a few bytes are replaced."""
    text = bytearray(whole)
    for _ in range(provider.ConsumeIntInRange(0, 4)):
        start = provider.ConsumeIntInRange(0, len(text))
        end = min(len(text), start + provider.ConsumeIntInRange(0, 6))
        text[start:end] = provider.ConsumeBytes(provider.ConsumeIntInRange(0, 6))
    return bytes(text)


def fuzz(one: Callable[[bytes], None], seeds: Sequence[bytes] = ()) -> None:
    """Run the fuzzer with the arguments of libFuzzer; the last may be a folder for the seeds."""
    for seed in seeds:
        one(seed)
    folder = Path(sys.argv[-1])
    if len(sys.argv) > 1 and folder.is_dir():
        for number, seed in enumerate(seeds):
            (folder / f"seed-{number}").write_bytes(seed)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
