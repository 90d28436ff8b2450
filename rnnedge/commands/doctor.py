"""rnnedge doctor."""

from typing import Any

import click

from rnnedge.commands.common import json_option, report, table


@click.command()
@click.option(
    "--require",
    "wanted",
    multiple=True,
    metavar="NAME",
    help="Exit with 1 unless this target or board can be built and run here: a name, demo, or all "
    "(but for boards that need a build system of their own); may be repeated.",
)
@json_option
def doctor(wanted: tuple[str, ...], as_json: bool) -> None:
    """Say what is installed, what that can build, run and flash, and what installs the rest.

    The exit code is 0 whatever is missing, unless --require names something that needs it.
    """
    from rnnedge.doctor import examine, lacking

    document = examine()
    lacks = lacking(document, wanted)
    report(document, as_json, _show)
    for name, missing in lacks.items():
        click.echo(f"{name}: missing {', '.join(missing)}", err=True)
    if wanted and lacks:
        raise SystemExit(1)


def _show(document: dict[str, Any]) -> None:
    click.echo(f"Python {document['python']} on {document['system']}")
    table(
        ["part", "", "version"],
        [[part["name"], part["kind"], part["version"] or "missing"] for part in document["parts"]],
    )
    table(
        ["target", "build", "run", "missing"],
        [
            [row["target"], _yes(row["build"]), _yes(row["run"]), ", ".join(row["missing"])]
            for row in document["targets"]
        ],
    )
    table(
        ["board", "build", "emulate", "flash", "missing"],
        [
            [
                row["board"],
                _yes(row["build"]),
                _yes(row["emulate"]),
                ", ".join(row["flash"]) or "no",
                ", ".join(row["missing"]),
            ]
            for row in document["boards"]
        ],
    )
    if document["install"]:
        click.echo("to install the rest:")
        for command in document["install"]:
            click.echo(f"  {command}")
    else:
        click.echo("everything is installed")


def _yes(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "-"}[value]
