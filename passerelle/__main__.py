"""``python -m passerelle``: the command."""

from passerelle.cli.main import app

if __name__ == "__main__":
    app()
