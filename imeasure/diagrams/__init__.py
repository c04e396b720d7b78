"""Information diagrams: what is drawn is read off the geometry, and atoms that the model makes zero are not there."""

from imeasure.diagrams.api import diagram
from imeasure.diagrams.result import Diagram, Panel, Region

__all__ = ["Diagram", "Panel", "Region", "diagram"]
