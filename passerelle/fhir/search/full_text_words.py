"""The words of a resource that `_text` and `_content` look among.

https://hl7.org/fhir/R4/search.html#text . Folded and split here, so that both databases answer
alike: they only keep words and compare them. ``l'hôpital`` is ``l`` and ``hopital``,
``Jean-Pierre`` is ``jean`` and ``pierre``.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.search.text_norm import normal

GAP = "\ue000"
"""Stands between two texts, so that no phrase goes from one to the other. It is in no word."""

MARK = "\ue001"
"""The first word of every text, also of an empty one: what is denied is denied of it."""

WORD_MAX = 64
"""Characters of a word; what is longer is cut off, in what is searched as in what is asked."""

WORDS_MAX = 16_000
"""Words of a text: PostgreSQL knows the places of the first 16,383."""

REPEATS_MAX = 250
"""A word is kept so often: PostgreSQL knows 255 places of one."""

BYTES_MAX = 500_000
"""Of all words of a text: half of what PostgreSQL takes."""

CHARACTERS_MAX = 200_000
"""Of a text that is folded at all: one character may fold to eighteen."""

MARKUP_MAX = 1_000_000
"""Characters of a narrative, its tags included."""

_WORD = re.compile(rf"[^\W_]+|{GAP}")
_INLINE = re.compile(r"</?(?:a|abbr|b|big|em|i|small|span|strong|sub|sup|tt|u)(?:\s[^<>]*)?>")
_TAG = re.compile(r"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,20}:[^\s]+|www\.[^\s]+")
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]+)?")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]{100,}")

_LEFT_OUT = frozenset(
    {
        *("resourceType", "id", "system", "url", "uri", "reference", "fullUrl", "linkId"),
        *("versionId", "lastUpdated", "profile", "source", "data", "hash", "implicitRules"),
        *("valueBase64Binary", "valueId", "valueUri", "valueUrl", "valueCanonical", "valueOid"),
        *("valueUuid", "instantiatesCanonical", "instantiatesUri", "securityContext"),
    }
)
"""Elements that hold no text: ids, addresses, the systems of codes, bytes."""


class FullText(NamedTuple):
    """The words of a resource, a blank between two: of its narrative, and of the whole."""

    narrative: str
    content: str


def words_of(text: str) -> list[str]:
    """Give the words of a text, folded, in their order, with the gaps that stand in it."""
    return [word[:WORD_MAX] for word in _WORD.findall(normal(text[:CHARACTERS_MAX]))]


def full_text(resource: Resource) -> FullText:
    """Give the words of a resource as served."""
    narrative = _narrative(resource.get("text"))
    return FullText(_kept([narrative]), _kept([narrative, *_strings(resource)]))


def _narrative(text: Any) -> str:
    """Give what a Narrative says, without its tags."""
    div = text.get("div") if isinstance(text, dict) else None
    return _without_tags(div) if isinstance(div, str) else ""


def _without_tags(div: str) -> str:
    """Take the tags off; those of a paragraph, a cell … stand between words."""
    bare, *commented = div[:MARKUP_MAX].split("<!--")
    # What follows the end of each comment; of one without an end there is nothing.
    bare += "".join(f" {after.partition('-->')[2]}" for after in commented)
    return unescape(_TAG.sub(" ", _INLINE.sub("", bare)))


def _strings(value: Any, name: str = "") -> Iterator[str]:
    """Give all texts of an element, those of its elements included."""
    if isinstance(value, dict):
        for inner, held in value.items():
            if name or inner != "text":  # the narrative of the resource is there already
                yield from _strings(held, inner)
    elif isinstance(value, list):
        for held in value:
            yield from _strings(held, name)
    elif isinstance(value, str):
        if name == "div":
            yield _without_tags(value)
        elif name not in _LEFT_OUT and not _is_no_text(value):
            yield value


def _is_no_text(value: str) -> bool:
    """Tell of an address, a reference or bytes where a text could stand."""
    if any(map(str.isspace, value[:200])):
        return False
    patterns = (_ADDRESS, _REFERENCE, _BASE64)
    return any(pattern.fullmatch(value) is not None for pattern in patterns)


def _kept(texts: list[str]) -> str:
    """Join the words of texts within the bounds; a word left out leaves a gap in its place."""
    found = words_of(f" {GAP} ".join(text for text in texts if text))
    kept, seen, size = [MARK], dict[str, int](), 0
    for word in found[:WORDS_MAX]:
        seen[word] = seen.get(word, 0) + 1
        size += len(word.encode())
        if size > BYTES_MAX:
            break
        kept.append(word if seen[word] <= REPEATS_MAX else GAP)
    return " ".join(kept)
