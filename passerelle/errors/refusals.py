"""The one family of refusals.

Each class fixes its HTTP status and its FHIR issue code; each refusal carries *all* of its
issues at once (https://hl7.org/fhir/R4/operationoutcome.html).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to say about an input: how grave, which rule, where, in French and in English.

    ``code`` is an IssueType (https://hl7.org/fhir/R4/valueset-issue-type.html), ``rule`` the
    stable slug of the rules table, ``expression`` a FHIRPath (or a JSON Pointer for the native
    form), never a value taken from the input. ``line`` and ``column`` count from 1, where the text
    is at hand.
    """

    severity: Severity
    code: str
    rule: str
    text: str
    text_en: str
    expression: str | None = None
    line: int | None = None
    column: int | None = None


class PasserelleError(Exception):
    """A refusal: never raised itself, always one of the classes below.

    Invalid 400 · Unauthenticated 401 · Forbidden 403 · NotFound 404 · NotAllowed 405 ·
    NotAcceptable 406 · Conflict 409 · Gone 410 · PreconditionFailed 412 · TooLarge 413 ·
    UnsupportedMedia 415 · Unprocessable 422 · Throttled 429 · NotSupported 501 ·
    Unavailable 503.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"

    def __init__(self, *issues: Issue) -> None:
        """Keep the issues; the message is made of rule slugs only, so that it can be logged."""
        super().__init__(", ".join(issue.rule for issue in issues))
        self.issues = issues


class Invalid(PasserelleError):
    """The request cannot be read (400)."""

    status = 400
    code = "invalid"


class Unauthenticated(PasserelleError):
    """Nobody is named as the caller (401)."""

    status = 401
    code = "login"


class Forbidden(PasserelleError):
    """The caller may not do this (403)."""

    status = 403
    code = "forbidden"


class NotFound(PasserelleError):
    """There is no such thing, or the caller may not know of it (404)."""

    status = 404
    code = "not-found"


class NotAllowed(PasserelleError):
    """The method is not allowed here (405)."""

    status = 405
    code = "not-supported"


class NotAcceptable(PasserelleError):
    """No form of the answer suits the Accept header (406)."""

    status = 406
    code = "not-supported"


class Conflict(PasserelleError):
    """The state of the record does not allow it (409)."""

    status = 409
    code = "conflict"


class Gone(PasserelleError):
    """It was there and has been deleted (410); ``version`` is that of the deletion."""

    status = 410
    code = "deleted"

    def __init__(self, *issues: Issue, version: int | None = None) -> None:
        self.version = version
        super().__init__(*issues)


class PreconditionFailed(PasserelleError):
    """If-Match or a condition does not hold (412)."""

    status = 412
    code = "conflict"


class TooLarge(PasserelleError):
    """The body is larger than the limit (413)."""

    status = 413
    code = "too-long"


class UnsupportedMedia(PasserelleError):
    """The media type of the body is not one that is read here (415)."""

    status = 415
    code = "not-supported"


class Unprocessable(PasserelleError):
    """It can be read but breaks a rule (422)."""

    status = 422
    code = "processing"


class Throttled(PasserelleError):
    """Too many requests (429)."""

    status = 429
    code = "throttled"


class NotSupported(PasserelleError):
    """A part of the standard that is not there yet (501)."""

    status = 501
    code = "not-supported"


class Unavailable(PasserelleError):
    """Something that is needed does not answer (503)."""

    status = 503
    code = "transient"
