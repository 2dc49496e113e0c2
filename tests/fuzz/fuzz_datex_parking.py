"""Coverage-guided fuzzing of the DATEX II parking parser: `python fuzz_datex_parking.py`.

Whatever the bytes, the result is readings or a ProviderError.
"""

from __future__ import annotations

from math import isnan

import atheris
from harness import fuzz

with atheris.instrument_imports(include=["forecast.ingest"]):
    from forecast.errors import ProviderError
    from forecast.ingest.providers.datex_parking import parse_statuses

SEEDS = (
    b'<ns2:d2LogicalModel xmlns:ns2="http://datex2.eu/schema/2/2_0"><ns2:parkingRecordStatus>'
    b'<ns2:parkingRecordReference id="P1"/><ns2:parkingStatusOriginTime>2026-07-14T10:00:00Z'
    b"</ns2:parkingStatusOriginTime><ns2:parkingOccupancy><ns2:parkingNumberOfVacantSpaces>5"
    b"</ns2:parkingNumberOfVacantSpaces></ns2:parkingOccupancy></ns2:parkingRecordStatus>"
    b"</ns2:d2LogicalModel>",
)


def one_input(data: bytes) -> None:
    try:
        readings, refused, silent = parse_statuses(data, name="feed")
    except ProviderError as error:
        assert str(error).startswith("feed")
        return
    assert readings or refused or silent
    for reading in readings:
        assert reading.site_id and (isnan(reading.free) or 0 <= reading.free <= 1e5)


if __name__ == "__main__":
    fuzz(one_input, SEEDS)
