import os

from hypothesis import settings

settings.register_profile("imeasure", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("imeasure")
