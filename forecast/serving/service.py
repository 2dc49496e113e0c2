"""The publication being served: taken up when it changes, kept when the next one is bad."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from forecast.errors import PublicationError
from forecast.serving.answers import Answer, RawHeaders, made_answer
from forecast.serving.reader import POINTER, Publication, read_publication

WATCH_SECONDS = 0.25
"""How often the pointer to the current publication is looked at [s]."""

RETRY_CHECKS = 12
"""A refused publication is read again after so many checks: the disk may have been at fault."""

ROUTES = {
    "/v1/zones": "zones.json",
    "/v1/forecasts": "forecasts.json",
    "/v1/forecasts/weekend": "weekend.json",
}
"""File of a publication that answers each path, unfiltered; zones have one file each."""

_log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True)
class Served:
    """One publication with its answers by path. Requests hold on to one, never to half of two."""

    publication: Publication
    answers: Mapping[str, Answer]
    zone_index: Mapping[str, int]
    headers: RawHeaders = field(repr=False)

    @classmethod
    def of(cls, publication: Publication) -> Served:
        """Prepare the answers of a publication."""
        headers = [(b"afflux-publication", publication.name.encode())]
        paths = ROUTES | {
            f"/v1/zones/{zone_id}/forecasts": path
            for zone_id, path in publication.zone_files.items()
        }
        answers = {
            path: Answer(
                publication.files[file],
                publication.sha256[file],
                compressed=publication.files[f"{file}.gz"],
                compressed_etag=publication.sha256[f"{file}.gz"],
                last_modified=publication.manifest["published_at"],
                headers=headers,
            )
            for path, file in paths.items()
        }
        return cls(publication, answers, publication.zone_index, headers)

    def filtered(
        self,
        file: str,
        zone_ids: Collection[str] | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> Answer:
        """The answer of ``file`` with only these (known) zones and days."""
        zones = None if zone_ids is None else {self.zone_index[zone_id] for zone_id in zone_ids}
        return made_answer(
            self.publication.listings[file].select(zones, first, last),
            last_modified=self.publication.manifest["published_at"],
            headers=self.headers,
        )


class Service:
    """Holds what is served; :meth:`refresh` takes up a new publication.

    ``served`` is None until there is a first good one. ``refused`` says why the current publication
    of the folder is not the one being served, or is None.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.served: Served | None = None
        self.refused: str | None = None
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """Whether the folder's pointer is another than at the last refresh. Costs one stat."""
        return self._signature() != self._seen

    def refresh(self) -> None:
        """Read and verify the current publication and serve it; keep the last good one if bad."""
        self._seen = self._signature()
        if self._seen is None:
            gone = f"{self.folder / POINTER} is gone; publish again with `afflux publish`"
            self.refused = gone if self.served else None
            return
        try:
            self.served = Served.of(read_publication(self.folder))
        except PublicationError as error:
            if self.refused is None:
                _log.error("publication refused: %s", error)
            self.refused = str(error)
        else:
            self.refused = None
            _log.info("serving publication %s", self.served.publication.name)

    async def watch(self) -> None:
        """Refresh for ever as publications come; reading is done off the event loop."""
        checks = 0
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            checks = checks + 1 if self.refused else 0
            if self.changed() or checks >= RETRY_CHECKS:
                checks = 0
                await asyncio.to_thread(self.refresh)

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            found = (self.folder / POINTER).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
