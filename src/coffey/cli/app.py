"""The command `coffey`: its subcommands, each in a file of its own."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from coffey._version import __version__
from coffey.cli import (
    bench,
    demo,
    distill,
    doctor,
    init,
    label,
    models,
    plan,
    promote,
    report,
    rollback,
    serve,
    tick,
    watch,
)
from coffey.cli.output import guarded

app = typer.Typer(
    name="coffey",
    help="Replace an expensive model with a small one, and keep the replacement honest in production.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for name, run in (
    ("demo", demo.demo),
    ("init", init.init),
    ("doctor", doctor.doctor),
    ("plan", plan.plan),
    ("label", label.label),
    ("distill", distill.distill),
    ("bench", bench.bench),
    ("serve", serve.serve),
    ("tick", tick.tick),
    ("watch", watch.watch),
    ("models", models.models),
    ("promote", promote.promote),
    ("rollback", rollback.rollback),
    ("report", report.report),
):
    app.command(name)(run)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Replace an expensive model with a small one, and keep the replacement honest in production."""


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(guarded(app, debug="--debug" in sys.argv))
