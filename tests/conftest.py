import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("imeasure", max_examples=40, deadline=None, derandomize="CI" in os.environ)
settings.load_profile("imeasure")
