"""How long an index value may be: an index entry of PostgreSQL holds 2,704 bytes at most.

Longer keys are cut and end in a digest of the whole, so that equality stays exact; the normal form
of a string is only cut, so that its beginning can still be found. What is asked for is bounded in
the same way.
"""

from hashlib import sha256

KEY_MAX = 255
"""Characters of a code, system, id or address."""

TEXT_MAX = 200
"""Characters of the normal form of a string."""


def key(value: str) -> str:
    """Bound a value that is compared for equality."""
    if len(value) <= KEY_MAX:
        return value
    digest = sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return value[: KEY_MAX - 65] + "~" + digest


def text(norm: str) -> str:
    """Bound the normal form of a string, which is compared by its beginning."""
    return norm[:TEXT_MAX]
