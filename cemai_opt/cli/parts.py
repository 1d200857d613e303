"""Lists all parts (models, stages, meters and others) that a study can use."""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    """List models, stages, meters, engines, samplers and data sources, and why some are unavailable."""
    import json

    from rich.console import Console
    from rich.table import Table

    from cemai_opt.compose import all_parts

    listed = {
        kind: [(part, *_state(registry, part)) for part in registry.listings()]
        for kind, registry in all_parts().items()
    }
    if as_json:
        document = {
            kind: [{"name": p.name, "summary": p.summary, "available": usable, "why": why} for p, usable, why in rows]
            for kind, rows in listed.items()
        }
        click.echo(json.dumps(document))
        return
    console = Console(highlight=False)
    for kind, rows in listed.items():
        table = Table(box=None, pad_edge=False, title=kind, title_justify="left", show_header=False)
        for part, usable, why in rows:
            table.add_row(part.name, part.summary if usable else f"unavailable: {why}")
        console.print(table)
        console.print()


def _state(registry: object, listing: object) -> tuple[bool, str]:
    """Whether the part can be used here; if not, also the reason and a remedy."""
    from cemai_opt.core.registry import Listing, Registry
    from cemai_opt.meters import Meter

    assert isinstance(listing, Listing)
    assert isinstance(registry, Registry)
    if not listing.is_available:
        return False, f"needs {', '.join(listing.missing)} ({listing.remedy})"
    part = registry.find(listing.name)
    if issubclass(part, Meter):
        readable = part.availability()
        return readable.is_readable, f"{readable.why} ({readable.remedy})" if readable.why else ""
    return True, ""
