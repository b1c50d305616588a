"""Do images and structures of a case fit together?  Asked before anything is planned on them."""

from radioembolization.structures.consistency.drawn import DrawnStructure
from radioembolization.structures.consistency.field_of_view import check_field_of_view
from radioembolization.structures.consistency.scout_alignment import check_scout
from radioembolization.structures.consistency.shape import check_density, check_islands, check_overlap, check_volume

__all__ = [
    "DrawnStructure",
    "check_density",
    "check_field_of_view",
    "check_islands",
    "check_overlap",
    "check_scout",
    "check_volume",
]
