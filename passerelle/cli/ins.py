"""``passerelle ins``: what can be said of a matricule without asking anybody.

Guide d'implémentation de l'INS v3.0,
https://esante.gouv.fr/sites/default/files/media/document/ANS_Guide-Implementation-INS_V3.0.pdf
"""

from typing import Annotated

import typer

from passerelle.cli import printing

app = typer.Typer(no_args_is_help=True, help="Identité nationale de santé.")


@app.callback()
def ins() -> None:
    """Identité nationale de santé : vérifier un matricule."""


@app.command(
    epilog="Exemple : passerelle ins check 2790351215189 89 --oid 1.2.250.1.213.1.4.8",
)
def check(
    number: Annotated[str, typer.Argument(help="Matricule : 13 caractères, ou 15 avec la clé.")],
    key: Annotated[
        str | None, typer.Argument(help="Clé de 2 chiffres, si elle est à part.")
    ] = None,
    oid: Annotated[
        str | None, typer.Option(help="OID du matricule ; sans lui, forme et clé seulement.")
    ] = None,
    allow_test: Annotated[
        bool,
        typer.Option(
            "--allow-test",
            envvar="PASSERELLE_INS_ALLOW_TEST",
            help="Admet les OID de test et de démonstration.",
        ),
    ] = False,
    json: printing.JsonOption = False,
) -> None:
    """Dit si un matricule INS est valide, ou pourquoi il ne l'est pas ; sans réseau."""
    from passerelle.ins import matricule

    found = matricule.check(number, oid, key=key, allow_test=allow_test)
    valid = not printing.has_errors(found)
    known = matricule.OIDS.get(matricule.bare_oid(oid)) if oid else None
    if json:
        printing.as_json(
            {
                "valid": valid,
                "kind": known.kind if known else None,
                "purpose": known.purpose if known else None,
                "issues": [printing.issue_json(entry) for entry in found],
            }
        )
    else:
        if valid:
            kind = f" ({known.type_code})" if known else ""
            printing.line(f"Matricule valide{kind}.", f"Valid matricule{kind}.", good=True)
        else:
            printing.line("Matricule refusé.", "Matricule refused.", good=False)
        printing.issues(found)
    raise typer.Exit(printing.DONE if valid else printing.REFUSED)
