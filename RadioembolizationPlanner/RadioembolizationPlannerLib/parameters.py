"""The parameters of the planner: one typed value, kept on the module's node in the scene.

Values are stored as JSON, nodes as references of the node, so that both survive saving, closing and loading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args

import slicer

from radioembolization.dose import Method
from radioembolization.errors import InputError
from radioembolization.physics import Convention, device_by_name
from radioembolization.structures import DEFAULT_LIVER_DENSITY, Role
from radioembolization.territories import Pattern
from RadioembolizationPlannerLib.artery_options import ArteryOptions
from RadioembolizationPlannerLib.errors import NewerScene
from RadioembolizationPlannerLib.known_shunts import KnownShunt
from RadioembolizationPlannerLib.stored_values import from_json, hints_of, to_json

#: Changes when an older program could not read what is stored.
FORMAT = 1
_FORMAT_KEY = "format"
_NODE = {"node": True}

#: How a candidate site may be used.
SITE_RULES = ("free", "required", "forbidden")
#: What scenarios are for: nothing, to see what a plan risks, to plan for.
NO_SCENARIOS, EVALUATED, ROBUST = SCENARIOS = ("none", "evaluated", "robust")


@dataclass(frozen=True)
class SiteParameters:
    """A candidate injection site as the user describes it; see ``SourceSite``.

    Parameters
    ----------
    name : str
    segment_id : str
        Segment of the perfused volume, or of the territory of an artery; empty while none is chosen.
    lung_shunt : float, optional
        Share of the activity that reaches the lungs; None for that of the case.
    extrahepatic_share : float
    pattern : str
        How microspheres are spread, a value of ``Pattern``.
    rule : str
        One of ``SITE_RULES``.
    nearest_to : str
        Keep only the part of the perfused volume nearer to this structure than to ``among``.
    among : tuple of str
    """

    name: str
    segment_id: str = ""
    lung_shunt: float | None = None
    extrahepatic_share: float = 0.0
    pattern: str = str(Pattern.SCOUT)
    rule: str = SITE_RULES[0]
    nearest_to: str = ""
    among: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, value, known in (("rule", self.rule, SITE_RULES), ("pattern", self.pattern, tuple(Pattern))):
            if value not in known:
                raise InputError(f"Site '{self.name}' has the {what} '{value}': use one of {', '.join(known)}.")
        object.__setattr__(self, "pattern", str(self.pattern))
        object.__setattr__(self, "among", tuple(self.among))


@dataclass(frozen=True)
class PlannerParameters:
    """Everything the user chose in the panel.

    Parameters
    ----------
    scout, ct, segmentation, site_points : node, optional
    shown_plan : vtkMRMLTextNode, optional
        The plan that results and sliders refer to.
    arteries : vtkMRMLTextNode, optional
        The arterial tree.
    territories : vtkMRMLSegmentationNode, optional
        What each site of the tree perfuses.
    artery_points : vtkMRMLMarkupsFiducialNode, optional
        Where the sites of the tree are.
    case_name : str
        Free name, printed in every output.
    device : str
    convention, method : str
    spacing_mm : float
        Of the planning grid, along each axis.
    liver_density_g_per_cm3 : float
    roles : mapping of str to Role
        By segment ID.
    lung_mass_kg : float, optional
        None to compute it from lungs and CT.
    lung_mass_assumed : bool
    lung_shunt : float, optional
        Of every site that states none.
    lung_shunts : tuple of KnownShunt
        By every method that was computed, or used before.
    artery_options : ArteryOptions
        How sites are made of the arterial tree.
    sites : tuple of SiteParameters
    tumour_to_normal : mapping of str to float
        By segment ID; tumours without one are measured in the scout image if no ratio is given at all.
    preset : str
        Preset whose limits were taken, ``device/intent``; empty for none.
    limits : tuple of mapping
        Limits as tables of a case file.
    goal : object
        Goal as in a case file.
    override_reason : str
        Why limits of another device are used.
    at_most_sites : int, optional
    least_activity_gbq, most_activity_gbq : float, optional
    isodoses_gy : tuple of float
        Levels shown; empty for those chosen by the program.
    activities_gbq : mapping of str to float
        Of the sliders, by site.
    with_vials : bool
        Whether the plan consists of vials.
    vials : mapping
        Vial calendar and hours as in a case file; ``inject_at_sites`` maps sites to hours of their own.
    scenarios : str
        One of ``SCENARIOS``.
    uncertainty : mapping
        What is uncertain as in a case file.
    further : mapping
        Further results as in ``[report]`` of a case file.
    course : mapping
        Course with 177Lu: entries of a course file and of a measured file, without the case.
    """

    scout: slicer.vtkMRMLScalarVolumeNode | None = field(default=None, metadata=_NODE)
    ct: slicer.vtkMRMLScalarVolumeNode | None = field(default=None, metadata=_NODE)
    segmentation: slicer.vtkMRMLSegmentationNode | None = field(default=None, metadata=_NODE)
    site_points: slicer.vtkMRMLMarkupsFiducialNode | None = field(default=None, metadata=_NODE)
    shown_plan: slicer.vtkMRMLTextNode | None = field(default=None, metadata=_NODE)
    arteries: slicer.vtkMRMLTextNode | None = field(default=None, metadata=_NODE)
    territories: slicer.vtkMRMLSegmentationNode | None = field(default=None, metadata=_NODE)
    artery_points: slicer.vtkMRMLMarkupsFiducialNode | None = field(default=None, metadata=_NODE)
    case_name: str = "case"
    device: str = "resin"
    convention: str = str(Convention.CLINICAL)
    method: str = str(Method.FFT)
    spacing_mm: float = 2.5
    liver_density_g_per_cm3: float = DEFAULT_LIVER_DENSITY
    roles: Mapping[str, Role] = field(default_factory=dict)
    lung_mass_kg: float | None = None
    lung_mass_assumed: bool = False
    lung_shunt: float | None = None
    lung_shunts: tuple[KnownShunt, ...] = ()
    artery_options: ArteryOptions = field(default_factory=ArteryOptions)
    sites: tuple[SiteParameters, ...] = ()
    tumour_to_normal: Mapping[str, float] = field(default_factory=dict)
    preset: str = ""
    limits: tuple[Mapping[str, Any], ...] = ()
    goal: Any = "worst_tumour_part_mean"
    override_reason: str = ""
    at_most_sites: int | None = None
    least_activity_gbq: float | None = None
    most_activity_gbq: float | None = None
    isodoses_gy: tuple[float, ...] = ()
    activities_gbq: Mapping[str, float] = field(default_factory=dict)
    with_vials: bool = False
    vials: Mapping[str, Any] = field(default_factory=dict)
    scenarios: str = NO_SCENARIOS
    uncertainty: Mapping[str, Any] = field(default_factory=dict)
    further: Mapping[str, Any] = field(default_factory=dict)
    course: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        device_by_name(self.device)
        if self.scenarios not in SCENARIOS:
            raise InputError(f"Unknown use of scenarios '{self.scenarios}': use one of {', '.join(SCENARIOS)}.")
        for what, value, kind in (("convention", self.convention, Convention), ("method", self.method, Method)):
            if value not in tuple(kind):
                raise InputError(f"Unknown {what} '{value}': use one of {', '.join(kind)}.")

    def site(self, name: str) -> SiteParameters | None:
        """Return the site with a name, or None."""
        return next((site for site in self.sites if site.name == name), None)


_NODES = tuple(f.name for f in fields(PlannerParameters) if f.metadata)
_VALUES = tuple(f.name for f in fields(PlannerParameters) if not f.metadata)


class ParameterStore:
    """Reads and writes the parameters of one scripted-module node.

    Parameters
    ----------
    node : vtkMRMLScriptedModuleNode
    """

    def __init__(self, node: slicer.vtkMRMLScriptedModuleNode) -> None:
        self.node = node

    def read(self) -> PlannerParameters:
        """Return the parameters; what is not stored has its default.

        Raises
        ------
        NewerScene
            If a newer version of the program stored them.
        InputError
            If a stored value cannot be read.
        """
        self.check_format()
        found: dict[str, Any] = {name: self._node(name) for name in _NODES}
        for name in _VALUES:
            text = self.node.GetParameter(name)
            if text:
                found[name] = self._value(name, text)
        return PlannerParameters(**found)

    def write(self, parameters: PlannerParameters) -> None:
        """Store the parameters in one modification of the node; nothing is touched that has not changed."""
        self.check_format()
        with slicer.util.NodeModify(self.node):
            for name in _NODES:
                wanted = getattr(parameters, name)
                if self.node.GetNodeReference(name) is not wanted:
                    self.node.SetNodeReferenceID(name, None if wanted is None else wanted.GetID())
            for name in _VALUES:
                text = to_json(getattr(parameters, name))
                if self.node.GetParameter(name) != text:
                    self.node.SetParameter(name, text)
            if self.node.GetParameter(_FORMAT_KEY) != str(FORMAT):
                self.node.SetParameter(_FORMAT_KEY, str(FORMAT))

    def check_format(self) -> None:
        """Raise ``NewerScene`` if a newer program stored the parameters."""
        stored = self.node.GetParameter(_FORMAT_KEY)
        if stored and not (stored.isdecimal() and int(stored) <= FORMAT):
            raise NewerScene(
                f"The planner's parameters in this scene have format {stored}, this program reads up to {FORMAT}: "
                "update the extension. The scene is left as it is."
            )

    def _node(self, name: str) -> slicer.vtkMRMLNode | None:
        found, kind = self.node.GetNodeReference(name), get_args(hints_of(PlannerParameters)[name])[0]
        if found is not None and not isinstance(found, kind):
            raise InputError(
                f"The parameter '{name}' stored in the scene is the node '{found.GetName()}', which is no "
                f"{kind.__name__}. {self._way_out('SetNodeReferenceID', name, None)}"
            )
        return found

    def _value(self, name: str, text: str) -> Any:
        try:
            value = from_json(text, hints_of(PlannerParameters)[name])
            return getattr(PlannerParameters(**{name: value}), name)
        except ValueError as error:
            raise InputError(
                f"The parameter '{name}' stored in the scene cannot be read ({str(error).rstrip('.')}): it holds "
                f"{text!r:.80}. {self._way_out('UnsetParameter', name)}"
            ) from error

    def _way_out(self, method: str, *arguments: str | None) -> str:
        call = f"slicer.mrmlScene.GetNodeByID('{self.node.GetID()}').{method}({', '.join(map(repr, arguments))})"
        return f"To choose it anew, enter in the Python console: {call}"
