"""Pictures compared with those that their maker looked at: `pytest --mpl`; new ones by `--mpl-generate-path`.

Letters are left out, because every FreeType draws them a little differently; where labels are is tested as geometry. The
tolerance, a root mean square in steps of 255, leaves room for rounding; the last test shows that a lost hatch exceeds it.
"""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.testing.compare import calculate_rms
from matplotlib.text import Text

from imeasure import Distribution, simplify
from imeasure.diagrams import diagram

TOLERANCE = 2.0
COMPARED = {"baseline_dir": "baseline", "style": "default", "tolerance": TOLERANCE, "savefig_kwargs": {"dpi": 60}}
SIX = "A B C D E F"


def without_letters(drawn):
    for text in drawn.figure.findobj(Text):
        text.set_visible(False)
    return drawn.figure


@pytest.mark.mpl_image_compare(**COMPARED)
def test_picture_of_the_bottleneck_in_words():
    return without_letters(diagram("Y -> X -> Z", names="words"))


@pytest.mark.mpl_image_compare(**COMPARED)
def test_picture_of_the_exclusive_or():
    return without_letters(diagram("X Y Z", values=Distribution.named("xor"), unit="bits"))


@pytest.mark.mpl_image_compare(**COMPARED)
def test_picture_of_a_chain():
    return without_letters(diagram("A -> B -> C -> D -> E"))


@pytest.mark.mpl_image_compare(**COMPARED)
def test_picture_of_shared_borders():
    return without_letters(diagram("A -> B; A -> C; B,C -> D"))


@pytest.mark.mpl_image_compare(**COMPARED)
def test_picture_of_a_canonical_form():
    return without_letters(diagram(simplify("min I[X;Z] - beta*I[Y;Z]")))


@pytest.mark.mpl_image_compare(**COMPARED)
def test_picture_of_bars():
    return without_letters(diagram(SIX, values=Distribution.random(SIX, seed=1)))


def pixels(figure):
    figure.set_dpi(60)
    canvas = figure.canvas
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


@pytest.mark.parametrize("change", ["hatch", "fill", "outline"])
def test_the_tolerance_is_narrower_than_what_a_picture_loses(change):
    shown = [diagram(simplify("min I[X;Z] - beta*I[Y;Z]")) for _ in range(2)]
    for drawn in shown:
        FigureCanvasAgg(drawn.figure)
    axes = shown[1].axes[0]
    patches = {patch.get_gid(): patch for patch in axes.patches}
    if change == "hatch":
        patches["atom-7"].set_hatch(None)
    elif change == "fill":
        patches["atom-5"].set_facecolor("white")
    else:
        axes.lines[0].set_visible(False)
    assert calculate_rms(*(pixels(without_letters(drawn)) for drawn in shown)) > TOLERANCE
