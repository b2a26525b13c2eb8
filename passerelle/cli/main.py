"""``passerelle``: the command and its groups. Adding a group is one line below.

A module of a group offers ``app``, one whose commands stand by themselves ``register(app)``.
Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

import typer

from passerelle.cli import (
    demo,
    dossier,
    dossier_acts,
    dossier_agenda,
    fhir,
    ins,
    mss,
    packages,
    serving,
    sweeping,
)

app = typer.Typer(
    name="passerelle",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Passerelle d'interopérabilité HL7 FHIR R4 pour la coordination des soins.",
)
app.add_typer(ins.app, name="ins")
app.add_typer(fhir.app, name="fhir")
dossier_acts.register(dossier.app)
dossier_agenda.register(dossier.app)
app.add_typer(dossier.app, name="dossier")
app.add_typer(mss.app, name="mss")
app.add_typer(packages.app, name="packages")
serving.register(app)
sweeping.register(app)
demo.register(app)
