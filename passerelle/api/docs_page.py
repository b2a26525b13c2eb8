"""The page that a person opens first: what the gateway is, whether it is well, its doors.

No script, nothing from elsewhere: one page that can be read offline, in light and in dark.
"""

import html
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from passerelle.api.docs_examples import EXAMPLES, FORM
from passerelle.fhir.conformance.structure_table import resource_types

TITLE = "Passerelle"

STYLE = """
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5a6b7b;--line:#dde4ea;--back:#fbfcfd;
--card:#fff;--mark:#0b6e6e;--good:#1a7f4b;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa9b8;--line:#2c3a47;
--back:#11181f;--card:#18222b;--mark:#5cc8c8;--good:#5bd193;--bad:#ff8a80}}
*{box-sizing:border-box}
body{font:17px/1.55 system-ui,"Liberation Sans",sans-serif;color:var(--ink);background:var(--back);
margin:0 auto;max-width:58rem;padding:2.5rem 1.25rem 4rem}
h1{font-size:2.4rem;margin:0;letter-spacing:-.02em}
h2{font-size:1.15rem;margin:2.4rem 0 .8rem}
a{color:var(--mark)}
.lead{font-size:1.2rem;color:var(--soft);margin:.4rem 0 1.4rem;max-width:44rem}
.state{display:inline-block;border:1px solid currentColor;border-radius:2rem;padding:.2rem .9rem;
font-weight:600}
.good{color:var(--good)}.bad{color:var(--bad)}
.facts{color:var(--soft);margin-left:.8rem}
.doors{display:grid;grid-template-columns:repeat(auto-fit,minmax(22rem,1fr));gap:1rem}
.door{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:1rem 1.1rem}
.door h3{margin:0 0 .2rem;font-size:1.05rem}
.door p{margin:0 0 .7rem;color:var(--soft)}
code,pre{font:.85em/1.5 ui-monospace,"Liberation Mono",monospace}
pre{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:1rem;
overflow:auto}
table{border-collapse:collapse;width:100%}
td{border-top:1px solid var(--line);padding:.4rem .8rem .4rem 0;vertical-align:top}
td:first-child{width:5.5rem;font-weight:600}
form{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end;margin:0 0 1.2rem}
label{color:var(--soft);font-size:.9rem}
input,select,button{font:inherit;color:var(--ink);background:var(--card);padding:.3rem .6rem;
border:1px solid var(--line);border-radius:.4rem;display:block}
input{width:10rem}
button{background:var(--mark);color:var(--back);border:0;font-weight:600;cursor:pointer}
.door code{display:block;color:var(--soft);overflow-wrap:anywhere;margin-bottom:.5rem}
details{margin:1rem 0}
summary{cursor:pointer;font-weight:600}
.types{columns:13rem;margin:.8rem 0;line-height:1.9;font-size:.9rem}
"""

DOORS = (
    (
        "La base FHIR",
        "Ressources R4 en JSON et en XML : lire, écrire, chercher, transactions.",
        (
            ("fhir/metadata?_pretty=true", "ce qu'elle sait faire"),
            ("fhir/Patient?_pretty=true&_count=10", "dix patients"),
            ("fhir/CareTeam?_pretty=true&_count=10", "dix cercles de soins"),
        ),
    ),
    (
        "Les documents",
        "Ce que les dossiers contiennent, et les envois par MSSanté.",
        (
            ("fhir/DocumentReference?_pretty=true&_count=10", "dix documents"),
            ("fhir/Communication?_pretty=true&_count=10", "dix envois suivis"),
            ("mss/messages", "messages gardés"),
        ),
    ),
    (
        "Les rendez-vous et les tâches",
        "Ce qui est prévu, et ce qui reste à faire.",
        (
            ("fhir/Appointment?_pretty=true&_count=10", "dix rendez-vous"),
            ("fhir/Task?_pretty=true&_count=10", "dix tâches"),
        ),
    ),
    (
        "L'exploitation",
        "Pour ceux qui font tourner la passerelle.",
        (
            ("health/ready", "lecture et écriture"),
            ("metrics", "chiffres pour Prometheus"),
            ("openapi.json", "description OpenAPI"),
        ),
    ),
)
"""Name, one line, and addresses that can be opened as they stand."""

PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<link rel="icon" href="data:,">
<style>{style}</style></head>
<body>
<h1>{title}</h1>
<p class="lead">Les dossiers de coordination des soins en HL7 FHIR R4 : un dossier devient des
ressources, l'identité de la personne est vérifiée, ses documents partent par messagerie
sécurisée de santé.</p>
<p><span class="state {mark}">{state}</span><span class="facts">version {version} ·
FHIR 4.0.1 · base <code>{base}</code></span></p>
<h2>Les portes</h2>
<div class="doors">{doors}</div>
<h2>La base FHIR, à essayer</h2>
{form}
<div class="doors">{examples}</div>
<details><summary>Les {count} types de ressources</summary><p class="types">{types}</p></details>
<details><summary>Toutes les interactions de la base FHIR</summary>
<table>{interactions}</table></details>
<h2>En une ligne</h2>
<pre>curl '{base}/Patient?family=durand'
curl -H 'Accept: application/fhir+xml' '{base}/Patient?_count=1'
curl -X PATCH -H 'Content-Type: application/json-patch+json' '{base}/Patient/ID' \\
  --data '[{{"op": "replace", "path": "/active", "value": false}}]'
curl -X PUT -H 'Content-Type: application/json' --data @dossier.json \\
  '{root}/dossiers/https://exemple.fr/dossiers|1'
passerelle dossier push dossier.json
passerelle fhir search 'Patient?family=durand'</pre>
<h2>Toutes les adresses hors de la base FHIR</h2>
<table>{routes}</table>
</body></html>
"""


def page(
    openapi: Mapping[str, Any],
    fhir: Mapping[str, Any],
    *,
    base_url: str,
    version: str,
    ready: bool,
) -> str:
    """Write the page of a gateway from the descriptions of its routes and of its FHIR base."""
    types = sorted(resource_types())
    return PAGE.format(
        title=TITLE,
        style=STYLE,
        mark="good" if ready else "bad",
        state="En service" if ready else "La base de données ne répond pas",
        version=html.escape(version),
        base=html.escape(base_url),
        root=html.escape(base_url.removesuffix("/fhir")),
        doors="".join(_door(*door) for door in DOORS),
        form=FORM,
        examples="".join(_examples(*each) for each in EXAMPLES),
        count=len(types),
        types="<br>".join(_type(each) for each in types),
        interactions="".join(_routes(fhir)),
        routes="".join(_routes(openapi["paths"])),
    )


def _door(name: str, what: str, links: tuple[tuple[str, str], ...]) -> str:
    items = "<br>".join(
        f'<a href="{html.escape(address)}">{html.escape(told)}</a>' for address, told in links
    )
    return f'<div class="door"><h3>{html.escape(name)}</h3><p>{html.escape(what)}</p>{items}</div>'


def _examples(name: str, links: tuple[tuple[str, str], ...]) -> str:
    """Show questions with their addresses; what is answered is laid out to be read."""
    items = "".join(
        f'<a href="{html.escape(_laid_out(address))}">{html.escape(told)}</a>'
        f"<code>{html.escape(address)}</code>"
        for address, told in links
    )
    return f'<div class="door"><h3>{html.escape(name)}</h3>{items}</div>'


def _laid_out(address: str) -> str:
    """Give the address of an example as a browser opens it."""
    if not address.startswith("fhir"):
        return address
    return quote(address, safe="/?&=:,$-_") + ("&" if "?" in address else "?") + "_pretty=true"


def _type(name: str) -> str:
    return f'<a href="fhir/{name}?_count=10&amp;_pretty=true">{name}</a>'


def _routes(paths: Mapping[str, Any]) -> list[str]:
    return [
        f"<tr><td>{method.upper()}</td><td><code>{html.escape(path)}</code></td>"
        f"<td>{html.escape(operation.get('summary', ''))}</td></tr>"
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]
