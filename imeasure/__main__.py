"""Run the command line by ``python -m imeasure``."""

from imeasure.cli import main

if __name__ == "__main__":
    main()
