"""Fuzzes what reads the weather: ``python fuzz_weather.py -runs=5000``.

Whatever the bytes, the parsers answer or raise :class:`~forecast.errors.ProviderError`.
"""

from __future__ import annotations

import json
from datetime import date

import atheris
from harness import fuzz, mutated

with atheris.instrument_imports(include=["forecast.ingest"]):
    from forecast.errors import ProviderError
    from forecast.ingest.climate_files import parse_catalogue
    from forecast.ingest.climatology import OTHERS, parse_measured
    from forecast.ingest.open_meteo_answers import parse_hourly, parse_run

HEADER = b"NUM_POSTE;LAT;LON;AAAAMMJJ;INST;QINST\n"
ROW = b"76481001;49.5;0.1;20260710;630;1\n"
UNITS = {"precipitation": "mm"}
TIMES = [1_784_001_600 + 3600 * i for i in range(4)]
PLACE = {
    "hourly_units": {"time": "unixtime", **UNITS},
    "hourly": {"time": TIMES, "precipitation": [0.1, None, 2, 3.5]},
}
RESOURCE = {"url": "https://x/Q_76_latest-2025-2026_RR-T-Vent.csv.gz", "title": "x"}
SPAN = (date(2026, 7, 1), date(2026, 7, 31))


def one(data: bytes) -> None:
    """Give one input to one of the parsers."""
    provider = atheris.FuzzedDataProvider(data)
    turn = provider.ConsumeIntInRange(0, 4)
    try:
        if turn == 0:
            parse_measured(mutated(provider, HEADER + ROW * 2), "x", OTHERS, *SPAN)
        elif turn == 1:
            parse_hourly(mutated(provider, json.dumps([PLACE, PLACE]).encode()), UNITS, 2, "x")
        elif turn == 2:
            parse_run(provider.ConsumeBytes(200), "x")
        elif turn == 3:
            parse_hourly(provider.ConsumeBytes(400), UNITS, 1, "x")
        else:
            try:
                answer = json.loads(
                    mutated(provider, json.dumps({"resources": [RESOURCE]}).encode())
                )
            except ValueError:
                return
            parse_catalogue(answer, "x")
    except ProviderError:
        return


if __name__ == "__main__":
    fuzz(one)
