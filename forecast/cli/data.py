"""Verbs about data: check, features, lake; and what `ingest` does with a folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from forecast.cli import context
from forecast.cli.console import Steps, err, note, out, print_json
from forecast.errors import ConfigError
from forecast.settings import Settings

if TYPE_CHECKING:
    from forecast.config import RunConfig

Folder = Annotated[Path, typer.Argument(help="Folder with territory.toml and the data files.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
lake_app = typer.Typer(no_args_is_help=True, help="The table of observations.")


def add_to(app: typer.Typer) -> None:
    """Register these verbs."""
    app.command()(check)
    app.command()(features)
    app.add_typer(lake_app, name="lake")


def check(
    folder: Folder,
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, help="Problems to list at most.")] = 40,
) -> None:
    """Report every problem of a folder of input files; exit status 2 if any row is refused.

    Example: afflux check ~/depot-mensuel
    """
    from forecast.ingest.folder import check_folder

    config, _ = config_for(folder, context.settings())
    report = check_folder(folder, config, now=context.now()).report
    if as_json:
        print_json(report.as_dict(limit=limit))
    else:
        out.print(report.text(limit=limit), soft_wrap=True, markup=False)
    if not report.ok:
        raise typer.Exit(2)


def ingest_into(
    folder: Path, settings: Settings, *, skip_bad_rows: bool = False, say: Any = None
) -> dict[str, Any]:
    """Ingest a folder into this home, and keep its territory.toml if it is the first."""
    from forecast.config import read_config
    from forecast.ingest.folder import ingest_folder

    config, installed = config_for(folder, settings)
    result = ingest_folder(
        folder,
        context.lake(settings),
        config=config,
        now=context.now(),
        skip_bad_rows=skip_bad_rows,
        progress=say,
    )
    if not installed:
        settings.configs.mkdir(parents=True, exist_ok=True)
        own = read_config(folder / "territory.toml")
        for beside in (own.communes, own.geometry):
            if beside and (folder / beside).is_file():
                shutil.copyfile(folder / beside, settings.configs / Path(beside).name)
        shutil.copyfile(folder / "territory.toml", settings.configs / f"{own.id}.toml")
    return {
        "rows": {count.source: count.rows for count in result.counts},
        "skipped": {count.source: count.skipped for count in result.counts},
        "new": result.new,
        "known": result.known,
        "revised": result.revised,
        "version": result.version,
        "observations": {
            source: dict(zip(("new", "known", "revised"), counts, strict=True))
            for source, counts in result.by_source.items()
        },
    }


def config_for(folder: Path, settings: Settings) -> tuple[RunConfig | None, bool]:
    """The configuration a folder is read with, and whether this home has one already.

    A home holds one territory: its configuration is in force, and the folder's must be about the
    same territory. A home without one takes the folder's (None here: the check reads it).

    Raises
    ------
    ConfigError
        If the folder is about another territory, or simulated where the home is not.
    """
    from forecast.config import read_config

    if not folder.is_dir():
        raise ConfigError(f"{folder}: is not a folder; expected one with territory.toml and files")
    own = folder / "territory.toml"
    if settings.config is None and not list(settings.configs.glob("*.toml")):
        if own.is_file():
            return None, False
        raise ConfigError(
            f"{folder}: has no territory.toml and {settings.configs} holds no configuration; "
            "see docs/input-contract.md for what it must say"
        )
    path = settings.config_path()
    config = read_config(path)
    if own.is_file():
        theirs = read_config(own)
        if (theirs.id, theirs.simulated) != (config.id, config.simulated):
            raise ConfigError(
                f"{own}: describes {_title(theirs)}, but {path} describes {_title(config)}; one "
                "home holds one territory: set AFFLUX_HOME to another folder"
            )
        if theirs != config:
            note(f"{own} differs from {path}; the latter is in force")
    return config, True


def _title(config: RunConfig) -> str:
    return f"{config.id!r}{' (simulated)' if config.simulated else ''}"


def features(
    origin: Annotated[
        str | None, typer.Option(help="Instant of the questions, ISO 8601; default: now.")
    ] = None,
    weeks: Annotated[
        int, typer.Option(min=1, help="Ask at so many origins, a week apart, up to that one.")
    ] = 1,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the matrix to this Parquet file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute the feature matrix of an origin, and say how much of it each source could fill.

    The file is written a few zones at a time: the matrix of a country need not fit in memory.

    Example: afflux features --origin 2026-05-13T08:00 --weeks 52 --out matrix.parquet
    """
    import pandas as pd

    from forecast.features.base import Evidence
    from forecast.grid import make_grid
    from forecast.training.matrix_file import write_matrix

    settings, out_file = context.settings(), context.output(out_file)
    config = settings.run_config()
    instant = context.instant(origin, config)
    territory = config.territory()
    observations = context.lake(settings).read(zones=territory.zone_ids, known_at=instant)
    local = instant.tz_convert(config.timezone)
    origins = [local - pd.DateOffset(weeks=k) for k in range(weeks)]
    horizons = range(config.max_horizon_days + 1)
    grid = make_grid(origins, territory.zone_ids, horizons, config.timezone)
    with err.status("features …"):
        filled = write_matrix(grid, Evidence(observations, territory), out_file)
    if as_json:
        facts = {
            name: {"columns": columns, "filled": round(share, 4)}
            for name, (columns, share) in filled.items()
        }
        print_json({"origin": instant.isoformat(), "questions": len(grid), "sources": facts})
        return
    asked = f"{weeks} weekly origins up to " if weeks > 1 else ""
    out.print(f"{len(grid)} questions asked at {asked}{instant:%Y-%m-%d %H:%M} UTC")
    for name, (columns, share) in filled.items():
        out.print(f"{name:<10} {columns:>3} columns {share:>7.1%} filled")


@lake_app.command()
def compact(as_json: AsJson = False) -> None:
    """Merge small files and drop those no recent version needs; no row and no answer changes.

    Example: afflux lake compact
    """
    with Steps().step("compact"):
        done = context.lake(context.settings()).compact()
    if as_json:
        print_json(done.__dict__)
    else:
        out.print(
            f"{done.files_before} files became {done.files_after}, {done.deleted} deleted; "
            f"lake version {done.version}"
        )


@lake_app.command()
def info(as_json: AsJson = False) -> None:
    """What the lake holds, by source.

    Example: afflux lake info
    """
    lake = context.lake(context.settings())
    rows = lake.read()
    found = rows.groupby("source", observed=True).agg(
        rows=("value", "size"),
        zones=("zone_id", "nunique"),
        first=("date", "min"),
        last=("date", "max"),
        read_at=("available_at", "max"),
    )
    if as_json:
        print_json({"version": lake.version(), "sources": found.reset_index().to_dict("records")})
        return
    out.print(f"lake version {lake.version()}, {len(rows):,} rows")
    table = Table(box=None, pad_edge=False)
    for title in ("source", "rows", "zones", "first day", "last day", "last read (UTC)"):
        table.add_column(title, justify="right" if title in ("rows", "zones") else "left")
    for source, row in found.iterrows():
        table.add_row(
            str(source),
            f"{row['rows']:,}",
            str(row["zones"]),
            f"{row['first']:%Y-%m-%d}",
            f"{row['last']:%Y-%m-%d}",
            f"{row['read_at']:%Y-%m-%d %H:%M}",
        )
    out.print(table)
