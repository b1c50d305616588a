"""Images with their geometry: an array, a grid in LPS millimetres, and a unit."""

from radioembolization.images.activity import activity_map, total_gbq
from radioembolization.images.coverage import covered_share
from radioembolization.images.density import (
    checked_density,
    density_from_ct,
    density_of_hu,
    density_on,
    lung_mass_kg_from_ct,
)
from radioembolization.images.grid import Grid
from radioembolization.images.resample import (
    bounding_box,
    corners_of_mask,
    resample_counts,
    resample_linear,
    resample_mask,
)
from radioembolization.images.scout import checked_counts
from radioembolization.images.volume import Unit, Volume

__all__ = [
    "Grid",
    "Unit",
    "Volume",
    "activity_map",
    "bounding_box",
    "checked_counts",
    "checked_density",
    "corners_of_mask",
    "covered_share",
    "density_from_ct",
    "density_of_hu",
    "density_on",
    "lung_mass_kg_from_ct",
    "resample_counts",
    "resample_linear",
    "resample_mask",
    "total_gbq",
]
