"""Section 3: candidate sites, what each reaches, its lung shunt."""

from __future__ import annotations

from dataclasses import replace

import qt
import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError
from radioembolization.territories import Pattern
from RadioembolizationPlannerLib.artery_record import is_of_tree, point_of
from RadioembolizationPlannerLib.parameters import PlannerParameters, SiteParameters
from RadioembolizationPlannerLib.sections.arteries import ArteriesSection
from RadioembolizationPlannerLib.sections.artery_sites import ArterySitesSection
from RadioembolizationPlannerLib.sections.foci import FociSection
from RadioembolizationPlannerLib.sections.lung_shunt import LungShuntSection
from RadioembolizationPlannerLib.sections.ratios import RatiosSection
from RadioembolizationPlannerLib.sections.section import Section, choose, number_of, set_choices, set_number
from RadioembolizationPlannerLib.sections.table import Table, typed_number

_NAME, _SEGMENT, _SHUNT, _PATTERN, _EXTRAHEPATIC, _RULE = range(6)


class SitesSection(Section):
    """Candidate sites as rows of a table."""

    name = "SitesSection"
    shows = ("segmentation", "site_points", "sites", "lung_shunt")
    part_types = (ArteriesSection, ArterySitesSection, LungShuntSection, RatiosSection, FociSection)

    def set_up(self) -> None:
        titles = [_("Site"), _("Perfused volume"), _("Shunt %"), _("Distribution"), _("Extrahepatic %"), _("Use")]
        self._sites = Table(self.ui.sitesTable, titles, stretched=_SEGMENT)
        ui = self.ui
        ui.pointsSelector.connect(
            "currentNodeChanged(vtkMRMLNode*)", self.slot(lambda node: self.change(site_points=node))
        )
        ui.fromPointsButton.connect("clicked(bool)", self.slot(self._on_from_points))
        ui.addSiteButton.connect("clicked(bool)", self.slot(self._on_add))
        ui.removeSiteButton.connect("clicked(bool)", self.slot(self._on_remove))
        ui.shuntBox.connect(
            "valueChanged(double)", self.slot(lambda _value: self.change(lung_shunt=_share(ui.shuntBox)))
        )
        ui.sitesTable.connect("cellChanged(int,int)", self.slot(self._on_cell))

    def show(self, parameters: PlannerParameters) -> None:
        self.ui.pointsSelector.setCurrentNode(parameters.site_points)
        self.ui.fromPointsButton.enabled = parameters.site_points is not None
        set_number(self.ui.shuntBox, None if parameters.lung_shunt is None else 100.0 * parameters.lung_shunt)
        self._show_sites(parameters)

    def _show_sites(self, parameters: PlannerParameters) -> None:
        segments = _segments(parameters.segmentation)
        self._sites.set_rows(len(parameters.sites))
        for row, site in enumerate(parameters.sites):
            self._sites.set_text(row, _NAME, site.name, editable=True)
            shunt = "" if site.lung_shunt is None else f"{100.0 * site.lung_shunt:.4g}"
            self._sites.set_text(row, _SHUNT, shunt, editable=True, tip=_("Empty: the lung shunt of the case."))
            self._sites.set_text(row, _EXTRAHEPATIC, f"{100.0 * site.extrahepatic_share:.4g}", editable=True)
            self._show_box(row, _SEGMENT, "segment_id", [_no_segment(site), *segments], site.segment_id)
            self._show_box(row, _PATTERN, "pattern", _patterns(), site.pattern)
            self._show_box(row, _RULE, "rule", _rules(), site.rule)

    def _show_box(self, row: int, column: int, what: str, choices: list[tuple[str, str]], value: str) -> None:
        box = self._sites.widget(row, column, lambda: self._new_box(row, what))
        set_choices(box, choices)
        choose(box, value)

    def _new_box(self, row: int, what: str) -> qt.QComboBox:
        box = qt.QComboBox()
        box.minimumContentsLength = 8
        box.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon
        box.toolTip = {
            "segment_id": _("Segment that an injection here perfuses."),
            "pattern": _("How microspheres spread inside the perfused volume."),
            "rule": _("Whether the plan may, must or must not inject here."),
        }[what]
        box.connect("currentIndexChanged(int)", self.slot(lambda _index: self._on_box(row, what, box)))
        return box

    def _site_changed(self, row: int, **changes: object) -> None:
        sites = list(self.session.parameters.sites)
        if row < len(sites):
            sites[row] = replace(sites[row], **changes)
            self.change(sites=tuple(sites))

    def _on_box(self, row: int, what: str, box: qt.QComboBox) -> None:
        if not self._showing:
            self._site_changed(row, **{what: box.currentData})

    def _on_cell(self, row: int, column: int) -> None:
        if not self._showing:
            self.attempt(lambda: self._cell_changed(row, column, self._sites.text(row, column).strip()))
            self._show_again()

    def _cell_changed(self, row: int, column: int, text: str) -> None:
        if column == _NAME:
            self._renamed(row, text)
        elif column == _SHUNT:
            self._site_changed(row, lung_shunt=typed_number(text, 0.0, 100.0) / 100.0 if text else None)
        elif column == _EXTRAHEPATIC:
            self._site_changed(row, extrahepatic_share=typed_number(text or "0", 0.0, 100.0) / 100.0)

    def _renamed(self, row: int, name: str) -> None:
        """Give a site another name, and its point with it."""
        site = self.session.parameters.sites[row]
        if not name or name == site.name:
            return
        if self.session.parameters.site(name) is not None:
            raise InputError(_("There is a site called '{name}' already: choose another name.").format(name=name))
        points = self.session.parameters.site_points
        self._site_changed(row, name=name)
        of_arteries, number = point_of(self.session.parameters, site)
        if number >= 0:
            of_arteries.SetNthControlPointLabel(number, name)
            return
        for index in range(0 if points is None else points.GetNumberOfControlPoints()):
            if points.GetNthControlPointLabel(index) == site.name:
                points.SetNthControlPointLabel(index, name)

    def _show_again(self) -> None:
        with self.showing():
            self.attempt(lambda: self.show(self.session.parameters))

    def _on_add(self, _checked: bool = False) -> None:
        sites = self.session.parameters.sites
        taken = {site.name for site in sites}
        number = next(n for n in range(1, len(sites) + 2) if f"site {n}" not in taken)
        self.change(sites=(*sites, SiteParameters(f"site {number}")))

    def _on_remove(self, _checked: bool = False) -> None:
        row, sites = self._sites.selected, self.session.parameters.sites
        if 0 <= row < len(sites):
            self.change(sites=(*sites[:row], *sites[row + 1 :]))
            points, index = point_of(self.session.parameters, sites[row])
            if index >= 0:  # else the arteries would offer the site again
                points.RemoveNthControlPoint(index)

    def _on_from_points(self, _checked: bool = False) -> None:
        parameters = self.session.parameters
        points = parameters.site_points
        if points is None:
            return
        segments = {text.lower(): value for text, value in _segments(parameters.segmentation)}
        labels = [points.GetNthControlPointLabel(i) for i in range(points.GetNumberOfControlPoints())]
        new = [label for label in dict.fromkeys(labels) if parameters.site(label) is None]
        self.change(
            sites=(*parameters.sites, *(SiteParameters(label, segments.get(label.lower(), "")) for label in new))
        )


def _segments(segmentation: slicer.vtkMRMLSegmentationNode | None) -> list[tuple[str, str]]:
    """Return (name, ID) of every segment."""
    if segmentation is None:
        return []
    segments = segmentation.GetSegmentation()
    return [(segments.GetSegment(key).GetName(), key) for key in segments.GetSegmentIDs()]


def _no_segment(site: SiteParameters) -> tuple[str, str]:
    return (_("by the arteries"), site.segment_id) if is_of_tree(site) else (_("choose"), "")


def _patterns() -> list[tuple[str, str]]:
    return [
        (_("as in the scout"), str(Pattern.SCOUT)),
        (_("by T/N ratios"), str(Pattern.TUMOUR_TO_NORMAL)),
        (_("by blood flow"), str(Pattern.FLOW)),
    ]


def _rules() -> list[tuple[str, str]]:
    return [(_("free"), "free"), (_("required"), "required"), (_("forbidden"), "forbidden")]


def _share(box: qt.QDoubleSpinBox) -> float | None:
    percent = number_of(box)
    return None if percent is None else percent / 100.0
