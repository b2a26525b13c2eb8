"""What the pages of ``docs`` use of curl, where there is no curl (https://curl.se/docs/manpage.html).

Run as ``curl``: ``-s -i -X -H -d @file --data-binary @file -G --data-urlencode -o -w``. Anything
else is refused, so that no page can use more of curl than is tried without it.
"""

import argparse
import http.client
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-i", action="store_true", dest="head")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", action=Data, default=[], dest="data")
    parser.add_argument("--data-binary", action=Data, dest="data")
    parser.add_argument("--data-urlencode", action=Data, dest="data")
    parser.add_argument("-G", action="store_true", dest="in_address")
    parser.add_argument("-o", dest="output")
    parser.add_argument("-w", dest="write", default="")
    parser.add_argument("address")
    return parser.parse_args(given)


class Data(argparse.Action):
    """``-d`` and ``--data-urlencode``, in the order in which they are given."""

    def __call__(self, parser, namespace, values, option_string=None):  # type: ignore[no-untyped-def]
        text = str(values)
        if option_string == "--data-urlencode":
            name, _, value = text.partition("=")
            part = f"{name}={quote(value, safe='')}"
        elif option_string == "--data-binary" and text.startswith("@"):
            part = Path(text[1:]).read_text("utf-8")
        elif text.startswith("@"):
            # As curl does, without the ends of lines.
            part = Path(text[1:]).read_text("utf-8").replace("\r", "").replace("\n", "")
        else:
            part = text
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), part])


def ask(asked: argparse.Namespace) -> tuple[http.client.HTTPResponse, bytes]:
    parts = urlsplit(asked.address)
    body: bytes | None = None
    query = parts.query
    if asked.in_address:
        query = "&".join(filter(None, (query, *asked.data)))
    elif asked.data:
        body = "&".join(asked.data).encode()
    method = asked.method or ("GET" if body is None else "POST")
    target = quote(parts.path or "/", safe="/%:$") + (
        f"?{quote(query, safe='=&%:/$+')}" if query else ""
    )
    headers = dict(header.split(": ", 1) for header in asked.headers)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.request(method, target, body, headers)
    answer = connection.getresponse()
    return answer, answer.read()


def main(given: list[str]) -> None:
    asked = arguments(given)
    answer, body = ask(asked)
    told = b""
    if asked.head:
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in answer.getheaders()]
        told = "\r\n".join((*lines, "", "")).encode("latin-1")
    if asked.output:
        Path(asked.output).write_bytes(told + body)
    else:
        sys.stdout.buffer.write(told + body)
    after = asked.write.replace("\\n", "\n").replace("%{http_code}", str(answer.status))
    sys.stdout.buffer.write(after.encode())


if __name__ == "__main__":
    main(sys.argv[1:])
