"""The simulated operator as a process of its own: ``python -m passerelle.simulation``.

It prints one line of JSON once both doors are open, and serves until it is told to end.
"""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from passerelle.simulation.mailboxes import Behaviour
from passerelle.simulation.operator import Operator


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m passerelle.simulation",
        description="A simulated MSSanté operator on loopback: SMTP, IMAP, receipts.",
        epilog="example: --folder /tmp/mss --mailbox dr@cabinet.example=secret --reads",
    )
    parser.add_argument("--folder", type=Path, required=True, help="certificates and mails")
    parser.add_argument("--smtp-port", type=int, default=0, help="0: chosen by the system")
    parser.add_argument("--imap-port", type=int, default=0, help="0: chosen by the system")
    parser.add_argument(
        "--mailbox", action="append", default=[], metavar="ADDRESS=PASSWORD", help="repeatable"
    )
    parser.add_argument("--reads", action="store_true", help="mails are read as they arrive")
    chosen = parser.parse_args()
    mailboxes = [each.partition("=")[::2] for each in chosen.mailbox]
    if not all(address and password for address, password in mailboxes):
        parser.error("--mailbox takes ADDRESS=PASSWORD")
    asyncio.run(_serve(chosen, mailboxes))


async def _serve(chosen: argparse.Namespace, mailboxes: list[tuple[str, str]]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    operator = Operator(
        chosen.folder, smtp_port=chosen.smtp_port, imap_port=chosen.imap_port, on_disk=True
    )
    for address, password in mailboxes:
        operator.create(address, password, behaviour=Behaviour(reads=chosen.reads))
    async with operator:
        (chosen.folder / "white-list.xml").write_bytes(operator.white_list())
        ready = {
            "host": operator.host,
            "smtp_port": operator.smtp_port,
            "imap_port": operator.imap_port,
            "ca_file": str(operator.certificates.ca_file),
            "white_list": str(chosen.folder / "white-list.xml"),
        }
        print(json.dumps(ready), flush=True)
        await ended.wait()


if __name__ == "__main__":
    main()
