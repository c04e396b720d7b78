"""Labelled data in memory: the digits that ship with scikit-learn, torchvision's sets, folders of images."""

from ibtrain.datasets.changes import permuted, with_label_noise
from ibtrain.datasets.dataset import Dataset
from ibtrain.datasets.folders import image_folder
from ibtrain.datasets.sets import cifar10, digits, mnist

__all__ = ["Dataset", "cifar10", "digits", "image_folder", "mnist", "permuted", "with_label_noise"]
