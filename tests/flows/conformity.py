"""What schemathesis asks of a served gateway, read off its own description.

https://schemathesis.readthedocs.io : data made from the schemas of the description, both what they
allow and what they do not, sent to the address; the answer must be one that is described.
"""

from collections import Counter
from collections.abc import Collection
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
SECONDS = 30.0
DOCUMENTED = frozenset({501, 503})


class Conformity:
    """Asks a gateway what its description says it can be asked, and counts the answers."""

    def __init__(self, url: str, query: str = "") -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        answer = self.session.get(f"{url}/openapi.json{query}", timeout=SECONDS)
        described = answer.json()
        described["servers"] = [{"url": url}]
        self.url = url
        self.schema = schemathesis.openapi.from_dict(described)
        self.statuses: Counter[int] = Counter()
        self.operations = 0

    def close(self) -> None:
        """Leave no connection behind."""
        self.session.close()

    def try_all(
        self, examples: int, *, every: int = 1, modes: Collection[GenerationMode] = GenerationMode
    ) -> None:
        """Ask each operation, or every so many of them, so many times in each mode."""
        found = [each.ok() for each in self.schema.get_all_operations()]
        for operation in found[::every]:
            self.operations += 1
            asked = any(operation.iter_parameters()) or operation.body
            for mode in modes if asked else [GenerationMode.POSITIVE]:  # nothing to do wrong
                self._try(operation, mode, examples)

    def _try(self, operation: Any, mode: GenerationMode, n: int) -> None:
        @settings(
            max_examples=n,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(mode))
        def ask(case: Case) -> None:
            answer = case.call(base_url=self.url, session=self.session, timeout=SECONDS)
            self.statuses[answer.status_code] += 1
            if answer.status_code not in DOCUMENTED:
                case.validate_response(answer, checks=[not_a_server_error])
            if answer.content:  # Prefer: return=minimal leaves the body out
                case.validate_response(answer, checks=list(CHECKS))

        ask()
