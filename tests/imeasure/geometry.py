"""What holds of the geometry of every diagram."""

import itertools

from imeasure import Model
from imeasure.measure import mask_of


def expected_atoms(text):
    model = Model(text) if "->" in text else Model(fixed=text.split())
    names = model.variables
    index = {name: i for i, name in enumerate(names)}
    gone = {mask_of((v for g in atom.groups for v in g), index) for atom in model.vanishing_atoms()}
    return set(range(1, 1 << len(names))) - gone


def corners(box):
    for dx, dy in itertools.product((-0.5, -0.25, 0.0, 0.25, 0.5), (-0.5, 0.0, 0.5)):
        yield box.x + dx * box.width, box.y + dy * box.height


def check_geometry(drawn):
    for panel in drawn.panels:
        assert set(panel.regions) == panel.layout.atoms == set(panel.content.atoms)
        boxes = [*(region.box for region in panel.regions.values()), *panel.titles.values()]
        for mask, region in panel.regions.items():
            assert region.area > 0.002
            assert region.font_size >= 7.0
            if region.box.anchor is None:
                assert {panel.layout.at(x, y) for x, y in corners(region.box)} == {mask}
            else:
                assert panel.layout.at(*region.box.anchor) == mask
        for first, second in itertools.combinations(boxes, 2):
            assert not first.overlaps(second)
        for box, other in itertools.permutations(boxes, 2):
            assert not other.meets(box.line)
        left, right, bottom, top = panel.extent
        for box in boxes:
            assert left <= box.x - box.width / 2 <= box.x + box.width / 2 <= right + 1e-9
            assert bottom <= box.y - box.height / 2 <= box.y + box.height / 2 <= top + 1e-9
