"""The paper's figures, drawn from tidy rows: every function takes rows and a file, and may be called again."""

from ibtrain.drawing.curves import draw_cross_entropies, draw_entropies, draw_scaling
from ibtrain.drawing.planes import draw_plane, draw_trajectories

__all__ = ["draw_cross_entropies", "draw_entropies", "draw_plane", "draw_scaling", "draw_trajectories"]
