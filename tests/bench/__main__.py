"""`python -m tests.bench --mode embedded --cases 2000 [--json FILE]`: prints a Markdown table; no target."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType

import click

from tests.bench.report import figures, markdown
from tests.bench.run import measure
from tests.bench.stands import Stand, embedded, kafka

_STANDS: Mapping[str, Callable[[], AbstractContextManager[Stand]]] = MappingProxyType(
    {"embedded": embedded, "kafka": kafka}
)


@click.command()
@click.option("--mode", "modes", type=click.Choice(sorted(_STANDS)), multiple=True, help="Default: every mode.")
@click.option("--cases", default=2000, show_default=True, type=click.IntRange(1, 20_000))
@click.option("--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures there too.")
@click.option("--patience", default=1800.0, show_default=True, help="Seconds until a run counts as failed.")
def bench(modes: tuple[str, ...], cases: int, file: Path | None, patience: float) -> None:
    """File cases by an import and measure to what the sandbox received."""
    told = []
    for mode in modes or tuple(_STANDS):
        with _STANDS[mode]() as stand:
            told.append(figures(mode, asyncio.run(measure(stand, cases, patience))))
        click.echo(markdown(told[-1]) + "\n")
    if file is not None:
        file.write_text(json.dumps(told, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    bench()
