"""Networks trained with information objectives: compile an objective to a loss, train, measure, draw the plane."""

import lazy_loader

from imeasure.errors import ConfigError

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    try:
        return _load(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("", "imeasure", "ibtrain"):
            raise
        raise ConfigError(
            f"ibtrain.{name} needs {error.name}, which is not installed: pip install 'imeasure[train]'"
        ) from None
