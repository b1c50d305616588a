"""The entries of a limit that is about to be added; they depend on what it bounds."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from radioembolization.planning.limit_table import QUANTITY_ENTRIES
from radioembolization.structures import NORMAL_LIVER, WHOLE_LIVER, Role
from RadioembolizationPlannerLib.limits import new_limit
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.section import choose, set_choices

#: Entries that are texts of their own, neither a structure nor a site.
_TEXTS = ("tissue",)
_MOST = 1e5


def quantity_titles() -> dict[str, str]:
    """Return what each quantity is called in the panel, by its name in case files."""
    return {
        "whole_normal_liver": _("mean dose, whole normal liver"),
        "perfused_normal_liver": _("mean dose, perfused normal liver"),
        "territory_normal_liver": _("mean dose, normal liver of each territory"),
        "lungs": _("mean dose, lungs"),
        "mean_dose": _("mean dose of a structure"),
        "maximum_dose": _("maximum dose of a structure"),
        "minimum_dose": _("minimum dose of a structure"),
        "hottest_mean": _("mean of the hottest part of a structure"),
        "coldest_mean": _("mean of the coldest part of a structure"),
        "mean_bed": _("mean BED of a structure"),
        "volume_above": _("volume above a dose (Vx)"),
        "dose_at_volume": _("dose at a volume (Dx)"),
        "hepatic_reserve": _("hepatic reserve"),
        "gastrointestinal_deposit": _("gastrointestinal deposit"),
        "shunted_activity": _("activity shunted to the lungs"),
        "total_activity": _("total activity"),
        "site_activity": _("activity of a site"),
        "injection_activity": _("activity of each injection"),
        "injection_sites": _("number of injections"),
        "microspheres": _("microspheres per mL"),
    }


def _labels() -> dict[str, str]:
    return {
        "structure": _("Structure:"),
        "site": _("Site:"),
        "percent": _("Part of the volume [%]:"),
        "gy": _("Dose [Gy]:"),
        "below_gy": _("Spared below [Gy]:"),
        "full_from_gy": _("Counts as perfused from [Gy]:"),
        "earlier_gy": _("Dose of earlier treatments [Gy]:"),
        "alpha_beta_gy": _("Alpha/beta [Gy]:"),
        "repair_half_time_h": _("Repair half-time [h]:"),
        "tissue": _("Tissue (for published parameters):"),
        "mass_kg": _("Mass [kg]:"),
        "bq_per_sphere": _("Activity of a sphere [Bq]:"),
    }


class LimitForm:
    """Widgets for the entries, sense and bound of a new limit.

    Parameters
    ----------
    quantity_box : QComboBox
    area : QWidget
        Where the entries are built.
    """

    def __init__(self, quantity_box: Any, area: Any) -> None:
        self._box, self._layout = quantity_box, qt.QFormLayout(area)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._entries: dict[str, Any] = {}
        self._names: dict[str, list[str]] = {"structure": [], "site": []}
        titles = quantity_titles()
        set_choices(quantity_box, [(titles[name], name) for name in QUANTITY_ENTRIES])
        quantity_box.connect("currentIndexChanged(int)", lambda _index: self._build())
        self._build()

    def show(self, parameters: PlannerParameters) -> None:
        """Offer the structures and sites of a case."""
        self._names = {"structure": _structures(parameters), "site": [site.name for site in parameters.sites]}
        for key in ("structure", "site"):
            if key in self._entries:
                box = self._entries[key]
                before = box.currentData
                set_choices(box, [(name, name) for name in self._names[key]])
                choose(box, before if before in self._names[key] else (self._names[key] or [""])[0])

    def limit(self) -> dict[str, Any]:
        """Return the limit as a table; ``LimitError`` if an entry is missing."""
        entries = {
            key: _value_of(key, widget) for key, widget in self._entries.items() if key not in ("sense", "bound")
        }
        upper, bound = self._entries["sense"].currentData == "most", float(self._entries["bound"].value)
        return new_limit(self._box.currentData, upper, bound, entries)

    def _build(self) -> None:
        while self._layout.rowCount():
            self._layout.removeRow(0)
        self._entries, labels = {}, _labels()
        for key in QUANTITY_ENTRIES[self._box.currentData]:
            self._add(key, labels[key], self._entry(key))
        sense = qt.QComboBox()
        set_choices(sense, [(_("at most"), "most"), (_("at least"), "least")])
        self._add("sense", _("Sense:"), sense)
        self._add("bound", _("Bound:"), _number_box())

    def _add(self, key: str, label: str, widget: Any) -> None:
        widget.toolTip = label.rstrip(":")
        self._layout.addRow(label, widget)
        self._entries[key] = widget

    def _entry(self, key: str) -> Any:
        if key in self._names:
            box = qt.QComboBox()
            set_choices(box, [(name, name) for name in self._names[key]])
            return box
        return qt.QLineEdit() if key in _TEXTS else _number_box()


def _number_box() -> qt.QDoubleSpinBox:
    """A spin box whose lowest value, zero, stands for nothing entered."""
    box = qt.QDoubleSpinBox()
    box.decimals = 3
    box.minimum, box.maximum = 0.0, _MOST
    return box


def _value_of(key: str, widget: Any) -> object:
    if key in ("structure", "site"):
        return widget.currentData or ""
    if key in _TEXTS:
        return widget.text.strip()
    return float(widget.value) if widget.value > 0.0 else None


def _structures(parameters: PlannerParameters) -> list[str]:
    """Return the structures that a limit can name: those of the core and those with a role."""
    if parameters.segmentation is None:
        return [NORMAL_LIVER, WHOLE_LIVER]
    segments = parameters.segmentation.GetSegmentation()
    named = [key for key, role in parameters.roles.items() if role in (Role.TUMOUR, Role.ORGAN)]
    present = [segments.GetSegment(key) for key in named]
    return [NORMAL_LIVER, WHOLE_LIVER, *(segment.GetName() for segment in present if segment is not None)]
