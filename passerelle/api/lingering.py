"""What is left of a body that was refused is read and dropped for a while.

A connection that is closed while bytes still come in is reset, and the client may lose the answer
that says why. https://www.rfc-editor.org/rfc/rfc9112#section-9.6
"""

import asyncio
from collections.abc import Mapping
from typing import Any

BYTES_MAX = 33_554_432
SECONDS_MAX = 5.0
PAUSE_SECONDS_MAX = 0.5
"""As long nothing may come: whoever pauses has read the answer, or never will."""


def is_of_use(headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether what comes in has an end that can be waited for.

    It has none when more is announced than is read here, or when the client waits to be told to
    go on (https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1).
    """
    announced = headers.get(b"content-length", b"0")
    return b"expect" not in headers and announced.isdigit() and int(announced) <= BYTES_MAX


async def linger(receive: Any) -> None:
    """Read and drop what still comes in, so much and so long at most."""
    size = 0
    try:
        async with asyncio.timeout(SECONDS_MAX):
            while size < BYTES_MAX:
                message = await asyncio.wait_for(receive(), PAUSE_SECONDS_MAX)
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                size += len(message.get("body", b""))
    except TimeoutError:
        return
