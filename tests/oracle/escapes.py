r"""The marks that join and part values, and those that a backslash stands before.

https://hl7.org/fhir/R4/search.html#escaping
"""

MARKS = "\\,|$"


def apart(text: str, mark: str) -> list[str]:
    """Part a text at each mark that no backslash stands before; the backslashes stay."""
    found, after_backslash = [""], False
    for char in text:
        if char == mark and not after_backslash:
            found.append("")
            continue
        found[-1] += char
        after_backslash = char == "\\" and not after_backslash
    return found


def bare(text: str) -> str:
    """Read what stands after backslashes as itself."""
    found, after_backslash = "", False
    for char in text:
        if char == "\\" and not after_backslash:
            after_backslash = True
            continue
        found += char
        after_backslash = False
    return found


def escaped(text: str) -> str:
    """Put a backslash before each mark."""
    return "".join("\\" + char if char in MARKS else char for char in text)
