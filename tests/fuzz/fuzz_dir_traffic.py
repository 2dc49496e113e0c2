"""Coverage-guided fuzzing of the road traffic parsers: `python fuzz_dir_traffic.py [libFuzzer's]`.

Whatever the bytes, the result is rows or a ProviderError.
"""

from __future__ import annotations

import atheris
from harness import fuzz

with atheris.instrument_imports(include=["forecast.ingest"]):
    from forecast.errors import ProviderError
    from forecast.ingest.road_traffic import parse_flows, parse_stations

SEEDS = (
    b'<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0"><payloadPublication><siteMeasurements>'
    b'<measurementSiteReference id="M1"/><measurementTimeDefault>2026-08-31T22:30:00.000+02:00'
    b"</measurementTimeDefault><measuredValue><measuredValue><basicData><vehicleFlow>"
    b"<vehicleFlowRate>140</vehicleFlowRate></vehicleFlow></basicData></measuredValue>"
    b"</measuredValue></siteMeasurements></payloadPublication></d2LogicalModel>",
    b"id;dir;x;x;x;x;x;x;x;x;x;x;x;x;x;x_deb;y_deb;x_fin;y_fin;zone\n"
    b"M1;DIRNO;2;A28;7;8;9;8;1;N;Y;;3;0;569981.6;6938140.0;568217.6;6935783.5;RO76\n",
)


def one_input(data: bytes) -> None:
    for parse in (parse_flows, parse_stations):
        try:
            rows, _ = parse(data, name="feed")
        except ProviderError as error:
            assert str(error).startswith("feed")
        else:
            assert "value" not in rows or rows["value"].between(0, 15_000).all()
            assert "latitude" not in rows or rows["latitude"].dropna().between(40, 53).all()


if __name__ == "__main__":
    fuzz(one_input, SEEDS)
