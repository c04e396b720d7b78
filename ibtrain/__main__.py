"""Let `python -m ibtrain` do what `ibtrain` does."""

from ibtrain.cli import main

main()
