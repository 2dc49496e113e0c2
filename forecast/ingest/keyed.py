"""Addresses that ask for a key: where the configuration says it is, and how it is sent."""

from __future__ import annotations

from pydantic import Field

from forecast.ingest.http import Client, Response, secret
from forecast.ingest.provider import Options


class KeyedOptions(Options):
    """The key of an address, sent in the header ``key_header``, or in the query as ``key_param``
    where that is given."""

    key_env: str = Field(
        default="", description="environment variable that holds the key of the URL, if it has one"
    )
    key_header: str = Field(
        default="Authorization",
        pattern=r"^[A-Za-z0-9-]+$",
        description="header in which the key is sent",
    )
    key_param: str = Field(
        default="", description="parameter of the URL in which the key is sent, if in one"
    )


def ask(client: Client, url: str, options: KeyedOptions) -> Response:
    """What is at ``url``, asked for with the key if there is one.

    Raises
    ------
    ConfigError
        If the variable that should hold the key does not.
    ProviderError
        As :meth:`forecast.ingest.http.Client.get`.
    """
    if not options.key_env:
        return client.get(url)
    key = secret(options.key_env)
    if options.key_param:
        return client.get(url, secret_params={options.key_param: key})
    return client.get(url, headers={options.key_header: key})
