"""What is wrong with a configuration, in words: one line for each key at fault."""

from __future__ import annotations

from pydantic import ValidationError


def explain(where: str, error: ValidationError, prefix: str = "") -> str:
    """One line for each problem: ``where`` (the file), the key, what was found and expected.

    ``prefix`` is the key of the table that was validated, where it is not the whole file. Values
    are not repeated, so that no secret written in the wrong place is.
    """
    problems, lines = error.errors(include_url=False, include_input=False), []
    inside = {problem["loc"][:1] for problem in problems if len(problem["loc"]) > 1}
    for problem in problems:
        if problem["type"] == "too_short" and problem["loc"] in inside:
            continue  # a list of which every entry is wrong is not empty
        parts = ([prefix] if prefix else []) + [str(part) for part in problem["loc"]]
        key = ".".join(parts) or "(file)"
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "unknown key; remove it or correct its spelling"
        lines.append(f"{where}: {key}: {message}")
    return "\n".join(lines)
