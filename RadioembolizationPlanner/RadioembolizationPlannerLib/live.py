"""The dose of activities that are being moved: display volume, histograms and limits in a few milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import slicer

from radioembolization.dose import DosePerGBq, LiveDose, LiveResult, LiveStructure
from radioembolization.images import Unit, Volume
from radioembolization.planning.limits import Limit, LimitResult
from radioembolization.treatment import Case
from RadioembolizationPlannerLib.colors import Color
from RadioembolizationPlannerLib.dose_display import show_dose
from RadioembolizationPlannerLib.dvh import DvhNodes, curves_of_live_result, publish_dvh, update_dvh
from RadioembolizationPlannerLib.plans import remove_nodes
from RadioembolizationPlannerLib.publish import publish_dose

#: Name of the volume that follows the sliders.
LIVE_NAME = "dose of the sliders"
#: Dose below this share of the highest shown is transparent.
SHOWN_FROM = 0.1


class LivePlan:
    """Keeps a dose volume and a chart of the scene at the activities of the sliders.

    The volume shows dose inside liver, tumors and organs; that of a kept plan also shows what reaches beyond.

    Parameters
    ----------
    scene : vtkMRMLScene
    case : Case
    rows : DosePerGBq
        Of the case.
    colors : mapping of str to Color, optional
        Of the curves, by structure.
    """

    def __init__(
        self, scene: slicer.vtkMRMLScene, case: Case, rows: DosePerGBq, colors: Mapping[str, Color] | None = None
    ) -> None:
        grid = case.structures.grid
        nothing = Volume(np.zeros(grid.shape, dtype=np.float32), grid, Unit.GY)
        self.case, self.rows, self._scene, self._colors = case, rows, scene, colors
        self.curves: DvhNodes | None = None
        self.dose = publish_dose(scene, nothing, f"{case.name}: {LIVE_NAME}")
        columns = np.flatnonzero(np.any([s.mask for s in case.structures.all], axis=0))
        self._live = LiveDose(
            np.maximum(rows.rows, np.float32(0.0)),  # convolution leaves tiny negatives
            columns,
            grid,
            [LiveStructure(s.name, s.voxels) for s in rows.structures],
            volume_gy=slicer.util.arrayFromVolume(self.dose),
        )

    def activities(self, by_site: Mapping[str, float]) -> np.ndarray:
        """Return the activities (sites,) [GBq] in the order of the rows; sites without an entry get none."""
        return np.array([float(by_site.get(name, 0.0)) for name in self.rows.site_names])

    def update(self, by_site: Mapping[str, float]) -> LiveResult:
        """Set the activities [GBq]: volume, chart and result follow.

        Raises
        ------
        InputError
            If an activity is negative or not finite.
        """
        result = self._live.update(self.activities(by_site))
        slicer.util.arrayFromVolumeModified(self.dose)
        curves = curves_of_live_result(result)
        if self.curves is None:
            self.curves = publish_dvh(self._scene, f"{self.case.name}: DVH of the sliders", curves, self._colors)
        else:
            update_dvh(self.curves, curves)
        return result

    @property
    def in_scene(self) -> bool:
        """Whether nobody has deleted the nodes."""
        nodes = [self.dose] if self.curves is None else [self.dose, self.curves.table, self.curves.chart]
        return all(self._scene.IsNodePresent(node) for node in nodes)

    def show_like(self, highest_gy: float) -> None:
        """Color the volume up to a dose [Gy], as the plan it is compared with."""
        show_dose(self.dose, highest_gy=highest_gy, from_gy=SHOWN_FROM * highest_gy)

    def remove(self) -> None:
        """Take the nodes out of the scene."""
        nodes = [self.dose]
        if self.curves is not None:
            nodes += [self.curves.chart, *self.curves.series, self.curves.table]
        remove_nodes(self._scene, *(node for node in nodes if self._scene.IsNodePresent(node)))

    def limits(self, limits: Sequence[Limit], by_site: Mapping[str, float]) -> tuple[LimitResult, ...]:
        """Return every limit evaluated for the activities."""
        activities = self.activities(by_site)
        return tuple(LimitResult.of(limit, self.rows, activities) for limit in limits)
