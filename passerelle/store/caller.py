"""Who asks: made once per request at the door, carried by value to every row that is read."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Caller:
    """The one who asks. ``system`` sees everything; ``nobody`` sees nothing (house section 1.4)."""

    subject: str
    kind: Literal["system", "nobody"] = "system"


SYSTEM = Caller("system")
NOBODY = Caller("nobody", "nobody")
