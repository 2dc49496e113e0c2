"""The publication being served: taken up when it changes, kept when the next one is bad."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from forecast.errors import PublicationError
from forecast.serving import archive
from forecast.serving.answers import Answer
from forecast.serving.headers import DATA_HEADERS, RawHeaders
from forecast.serving.reader import (
    POINTER,
    Publication,
    Route,
    read_publication,
)
from forecast.serving.soundness import refusing

WATCH_SECONDS = 0.25
"""How often the pointer to the current publication is looked at [s]."""

RETRY_CHECKS = 12
"""A refused publication is read again after so many checks: the disk may have been at fault."""

PAST_KEPT = 4
"""Earlier publications held in memory, the last asked for."""

NEGOTIATED = "Accept, Accept-Encoding"
"""What answers of a path that has several formats vary by."""

_log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True)
class Served:
    """One publication with its answers by path. Requests hold on to one, never to half of two.

    ``answers`` are those in memory; :meth:`stored` reads the others from disk. ``several`` are the
    paths that have more than one format.
    """

    publication: Publication
    answers: Mapping[str, Answer]
    several: frozenset[str] = field(repr=False)
    headers: RawHeaders = field(repr=False)

    @classmethod
    def of(cls, publication: Publication) -> Self:
        """Prepare the answers of a publication."""
        several = frozenset(_stem(path) for path in publication.routes if _stem(path) != path)
        headers = [(b"afflux-publication", publication.name.encode())]
        made = cls(publication, {}, several, headers)
        answers = {
            path: made._answer(path, route)
            for path, route in publication.routes.items()
            if not route.lazy
        }
        return cls(publication, answers, several, headers)

    @property
    def zone_index(self) -> Mapping[str, int]:
        """Position of each zone, in the territory's order."""
        return self.publication.zone_index

    def stored(self, path: str) -> Answer | None:
        """The answer of a path, from memory or read from disk; None if there is none.

        Raises
        ------
        PublicationError
            If it is on disk and can no longer be read as it was written.
        """
        held = self.answers.get(path)
        if held is not None or path not in self.publication.routes:
            return held
        return self._answer(path, self.publication.routes[path])

    def _answer(self, path: str, route: Route) -> Answer:
        found = self.publication
        protecting = dict(DATA_HEADERS)
        for name, value in route.headers:
            protecting[name.encode()] = value.encode()
        return Answer(
            found.read(route.file),
            found.sha256(route.file),
            encodings={
                name: (found.read(file), found.sha256(file))
                for name, file in found.compressed(route.file).items()
            },
            media_type=route.media_type,
            last_modified=found.manifest["published_at"],
            headers=self.headers,
            vary=NEGOTIATED if _stem(path) in self.several else "Accept-Encoding",
            security=list(protecting.items()),
        )


def _stem(path: str) -> str:
    """A path without its extension."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{name.partition('.')[0]}"


class Service:
    """Holds what is served; :meth:`refresh` takes up a new publication.

    ``served`` is None until there is a first good one. ``refused`` says why the current publication
    of the folder is not the one being served, or is None; ``refusals`` counts how often that was.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.served: Served | None = None
        self.refused: str | None = None
        self.refusals = 0
        self._seen: tuple[int, int, int] | None = None
        self._past: OrderedDict[str, Publication] = OrderedDict()
        self._past_lock = threading.Lock()

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
            with refusing(self.folder):
                self.served = Served.of(read_publication(self.folder))
        except PublicationError as error:
            if self.refused != str(error):
                self.refusals += 1
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
                try:
                    await asyncio.to_thread(self.refresh)
                except RuntimeError as error:  # No thread could be started: the next look may.
                    _log.error("publications could not be looked at: %s", error)
                    self._seen = None

    def known_at(self, served: Served, instant: datetime) -> Publication | None:
        """The newest publication made at ``instant`` or before, ``served`` or an earlier one.

        None if there was none yet. Reads the disk: not for the event loop.

        Raises
        ------
        PublicationError
            If what is kept of it is damaged.
        """
        name = archive.known_at(self._names(served), instant)
        return None if name is None else self._publication(served, name)

    def day_before(self, served: Served, of: Publication) -> Publication | None:
        """The last publication of a civil day before that of ``of``; see :meth:`known_at`."""
        name = archive.before_day(self._names(served), of.local_time())
        return None if name is None else self._publication(served, name)

    def _names(self, served: Served) -> list[str]:
        return sorted({*archive.names(self.folder), served.publication.name})

    def _publication(self, served: Served, name: str) -> Publication:
        if name == served.publication.name:
            return served.publication
        with self._past_lock:
            held = self._past.pop(name, None) or archive.read(self.folder, name)
            self._past[name] = held
            while len(self._past) > PAST_KEPT:
                self._past.popitem(last=False)
        return held

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            found = (self.folder / POINTER).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
