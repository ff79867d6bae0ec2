"""``python -m junctor``: the command line."""

from junctor.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
