"""Where and on what a run was made: machine, versions, commit, how busy the machine was."""

import datetime
import os
import platform
import sqlite3
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("uvicorn", "uvloop", "httptools", "orjson", "msgspec", "jsonschema-rs", "asyncpg")


def processor() -> str:
    """Give the name of the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def commit() -> str:
    """Give the commit of this checkout, marked when it has changes of its own."""
    git = ["git", "-C", str(ROOT)]
    done = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    if done.returncode:
        return "not a checkout"
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True
    )
    return done.stdout.strip() + (" with changes" if changed.stdout.strip() else "")


def busy() -> float:
    """Give how many processes wanted the processor in the last minute."""
    return round(os.getloadavg()[0], 1)


def describe() -> dict[str, Any]:
    """Give what a reader needs to know of the machine and of the software."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = {name: metadata.version(name) for name in PACKAGES}
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "memory_gb": round(memory),
            "system": f"{platform.system()} {platform.release()}",
        },
        "load_average": [round(value, 1) for value in os.getloadavg()],
        "versions": {
            "python": sys.version.split()[0],
            "sqlite": sqlite3.sqlite_version,
            **versions,
        },
    }
