"""The page of commands: every command of ``passerelle``, from the program itself."""

from collections.abc import Iterator
from typing import Any

import typer.core
import typer.main

from passerelle.cli.main import app
from tools.reference_markdown import anchor, code, page, table

HIDDEN = frozenset({"help", "install_completion", "show_completion"})
"""Parameters that every program of this kind has."""

Command = Any
"""A command of typer, whose types are not exported."""


def write() -> str:
    """Write the page."""
    found = dict(commands())
    index = (
        (f"[{code(name)}](#{anchor(name)})", _first(command)) for name, command in found.items()
    )
    return page(
        "Commands",
        "The help of the commands is in French. `PASSERELLE_LANG=en` makes their answers English. "
        "Exit codes: 0 done; 1 refused or invalid; 2 wrong usage, or the gateway does not answer.",
        table(("Command", "Help"), index),
        *(block for name, command in found.items() for block in _command(name, command)),
    )


def commands() -> Iterator[tuple[str, Command]]:
    """Give every command by its whole name, ``passerelle ins check``, in the program's order."""
    return _below("passerelle", typer.main.get_command(app))


def _below(name: str, command: Command) -> Iterator[tuple[str, Command]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        if not command.hidden:
            yield name, command
        return
    for short, each in inner.items():
        yield from _below(f"{name} {short}", each)


def _first(command: Command) -> str:
    return str(command.help or "").split("\n\n")[0]


def _command(name: str, command: Command) -> Iterator[str]:
    yield f"## {name}"
    yield str(command.help or "")
    shown = [each for each in command.params if each.name not in HIDDEN and not each.hidden]
    if shown:
        yield table(("Argument or option", "Default", "Help"), map(_parameter, shown))
    example = str(command.epilog or "").partition(" : ")[2]
    if example:
        yield f"```console\n$ {example}\n```"


def _parameter(each: Any) -> tuple[str, str, str]:
    if isinstance(each, typer.core.TyperArgument):
        bare = str(each.name).upper()
        spelled = code(bare if each.required else f"[{bare}]")
        default = ""
    else:
        spelled = ", ".join(code(option) for option in each.opts)
        default = "" if each.default in (None, False, ()) else code(each.default)
    said = str(each.help or "")
    if each.required and not isinstance(each, typer.core.TyperArgument):
        default = "(required)"
    if each.envvar:
        said += f" ({code(each.envvar)})"
    return spelled, default, said
