"""Run the command line by ``python -m imeasure``."""

from imeasure.cli import main

main()
