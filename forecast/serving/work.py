"""What a process beside the server does: answer questions from a pipe until the pipe closes.

Each question is a line of JSON on standard input; each answer is a line
``{"status": ..., "size": bytes}`` on standard output, and so many bytes. It ends with the server,
whose end of the pipe then closes. The other side is :mod:`forecast.serving.worker`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from forecast.errors import AffluxError

NICENESS = 10
"""How far such a process steps back where the server needs the processor."""

Answering = Callable[[dict[str, Any]], dict[str, Any]]


def work(answer: Answering) -> None:
    """Answer what comes on standard input, at a low priority.

    Standard output is kept for answers alone: what libraries print goes to the server's log.
    """
    os.nice(NICENESS)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(answer, sys.stdin.buffer, answers)


def serve(answer: Answering, questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer each line of ``questions`` until there are no more.

    An error of Afflux is an answer; any other ends the process, and the server starts another.
    """
    for line in questions:
        try:
            status, told = "ok", answer(json.loads(line))
        except AffluxError as error:
            status, told = "unavailable", {"detail": str(error)}
        body = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        answers.write(json.dumps({"status": status, "size": len(body)}).encode() + b"\n" + body)
        answers.flush()
