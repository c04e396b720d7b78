import os

from hypothesis import settings

settings.register_profile("imeasure", max_examples=40, deadline=None, derandomize="CI" in os.environ)
settings.load_profile("imeasure")
