"""The command `coffey`: its subcommands, each in a file of its own."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from coffey._version import __version__
from coffey.cli.bench import bench
from coffey.cli.dash import dash
from coffey.cli.demo import demo
from coffey.cli.distill import distill
from coffey.cli.doctor import doctor
from coffey.cli.init import init
from coffey.cli.label import label
from coffey.cli.models import models
from coffey.cli.output import guarded
from coffey.cli.plan import plan
from coffey.cli.promote import promote
from coffey.cli.report import report
from coffey.cli.rollback import rollback
from coffey.cli.serve import serve
from coffey.cli.tick import tick
from coffey.cli.traffic import traffic
from coffey.cli.watch import watch

app = typer.Typer(
    name="coffey",
    help="Replace an expensive model with a small one, and keep the replacement honest in production.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    demo,
    init,
    doctor,
    plan,
    label,
    distill,
    bench,
    serve,
    tick,
    watch,
    models,
    promote,
    rollback,
    report,
    dash,
):
    app.command()(command)
app.add_typer(traffic)


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
