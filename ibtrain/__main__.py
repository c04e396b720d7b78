"""Start the program: `ibtrain`, `python -m ibtrain`. While it loads, too, ctrl-C ends it without a traceback."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from ibtrain.cli import main as program  # noqa: PLC0415 - so that what happens meanwhile is caught

        program()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
