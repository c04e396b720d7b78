import gc
import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("imeasure", max_examples=40, deadline=None, derandomize="CI" in os.environ)
settings.load_profile("imeasure")


def pytest_collection_finish():
    """Let the garbage collector leave alone what the tests' modules have loaded: it stays to the end."""
    gc.collect()
    gc.freeze()
