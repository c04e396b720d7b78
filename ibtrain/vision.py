"""The one door to torchvision.

A torchvision wheel built against CUDA cannot load its compiled operators beside a CPU build of torch, and its import
then fails because two operators have no schema. Where that is so, the two schemas are defined here first; they are kept
for the life of the process. Networks and data sets need neither operator.
"""

from types import ModuleType

import torch

from ibtrain.errors import ConfigError

_MISSING = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_schemas: list[torch.library.Library] = []


def load_torchvision() -> ModuleType:
    """Import torchvision, on machines where its compiled operators cannot be loaded too.

    Returns:
        The module, with `datasets`, `models` and `transforms`; `torchvision.io` and `torchvision.ops` work only where
        the compiled operators do.

    Raises:
        ConfigError: If torchvision is not installed or does not fit the installed torch.

    Example:
        >>> load_torchvision().models.resnet18(num_classes=10).fc.out_features
        10
    """
    try:
        return _import()
    except ImportError as error:
        raise ConfigError(
            f"torchvision is needed for this: {error}; install it with pip install 'imeasure[train]'"
        ) from None
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise ConfigError(f"torchvision does not fit torch {torch.__version__}: {error}") from None
    library = torch.library.Library("torchvision", "DEF")
    for schema in _MISSING.values():
        library.define(schema)
    _schemas.append(library)
    return _import()


def _import() -> ModuleType:
    import torchvision  # noqa: PLC0415 - its import may fail, and is tried again once the schemas are there

    module: ModuleType = torchvision
    return module
