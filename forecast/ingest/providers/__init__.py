"""Providers of data: one file per kind, discovered by being there."""

from __future__ import annotations

import importlib
import pkgutil

from forecast.ingest.provider import Provider

__all__ = ["discover"]


def discover() -> dict[str, Provider]:
    """Every kind of provider of this package, by its name, in alphabetical order.

    Raises
    ------
    TypeError
        If a module here has no ``PROVIDER`` that follows the protocol, or two share one name.
    """
    found: dict[str, Provider] = {}
    for module in pkgutil.iter_modules(__path__):
        provider = getattr(importlib.import_module(f"{__name__}.{module.name}"), "PROVIDER", None)
        if not isinstance(provider, Provider):
            raise TypeError(
                f"forecast/ingest/providers/{module.name}.py defines no PROVIDER; see provider.py"
            )
        if provider.kind in found:
            raise TypeError(f"two modules of forecast/ingest/providers define {provider.kind!r}")
        found[provider.kind] = provider
    return dict(sorted(found.items()))
