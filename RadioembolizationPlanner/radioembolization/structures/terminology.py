"""What segments are, in the codes of SNOMED CT, with the colours and texts that Slicer knows them by."""

from __future__ import annotations

from dataclasses import dataclass

#: Categories of SNOMED CT in which DICOM segmentations state their types.
_ANATOMY = ("123037004", "Anatomical Structure")
_ABNORMAL = ("49755003", "Morphologically Abnormal Structure")
_SPATIAL = ("309825002", "Spatial and Relational Concept")
_CONTEXT = "Segmentation category and type - DICOM master list"
_REGIONS = "Anatomic codes - DICOM master list"


@dataclass(frozen=True)
class Code:
    """A code of SNOMED CT (https://browser.ihtsdotools.org) and its meaning."""

    value: str
    meaning: str

    @property
    def fields(self) -> str:
        """Scheme, code and meaning as Slicer writes them."""
        return f"SCT^{self.value}^{self.meaning}"


@dataclass(frozen=True)
class Terminology:
    """What a segment is, and its customary colour.

    Parameters
    ----------
    category, type : Code
    modifier : Code, optional
        Side of a paired organ, for instance.
    colour : tuple of float
        Red, green, blue in [0, 1]; those of the DICOM master list of Slicer where it has the type.
    """

    category: Code
    type: Code
    modifier: Code | None = None
    colour: tuple[float, float, float] = (0.5, 0.7, 0.6)

    @property
    def slicer_text(self) -> str:
        """The terminology of a segment as Slicer stores it: fields between tildes."""
        modifier = self.modifier.fields if self.modifier else "^^"
        return "~".join((_CONTEXT, self.category.fields, self.type.fields, modifier, _REGIONS, "^^", "^^"))


def code_of_type(slicer_text: str) -> str:
    """Return the code of the type in a terminology as Slicer stores it, empty if it has none."""
    fields = slicer_text.split("~")
    parts = fields[2].split("^") if len(fields) > 2 else []
    return parts[1] if len(parts) > 1 else ""


def _anatomy(value: str, meaning: str, rgb: tuple[int, int, int], modifier: Code | None = None) -> Terminology:
    return Terminology(Code(*_ANATOMY), Code(value, meaning), modifier, _unit(rgb))


def _unit(rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    return tuple(round(level / 255.0, 6) for level in rgb)  # type: ignore[return-value]


_RIGHT, _LEFT = Code("24028007", "Right"), Code("7771000", "Left")

BODY = _anatomy("123037004", "Anatomical Structure", (177, 122, 101))
LIVER = _anatomy("10200004", "Liver", (221, 130, 101))
LUNGS = _anatomy("39607008", "Lung", (197, 165, 145))
LEFT_LUNG = _anatomy("39607008", "Lung", (172, 138, 115), _LEFT)
RIGHT_LUNG = _anatomy("39607008", "Lung", (197, 165, 145), _RIGHT)
SPLEEN = _anatomy("78961009", "Spleen", (157, 108, 162))
LEFT_KIDNEY = _anatomy("64033007", "Kidney", (185, 102, 83), _LEFT)
RIGHT_KIDNEY = _anatomy("64033007", "Kidney", (185, 102, 83), _RIGHT)
GALLBLADDER = _anatomy("28231008", "Gallbladder", (139, 150, 98))
STOMACH = _anatomy("69695003", "Stomach", (216, 132, 105))
DUODENUM = _anatomy("38848004", "Duodenum", (255, 253, 229))
PANCREAS = _anatomy("15776009", "Pancreas", (249, 180, 111))
LIVER_VESSELS = _anatomy("59820001", "Blood vessel", (216, 101, 79))
TUMOUR = Terminology(Code(*_ABNORMAL), Code("4147007", "Mass"), None, _unit((144, 238, 144)))
NECROSIS = Terminology(Code(*_ABNORMAL), Code("6574001", "Necrosis"), None, _unit((216, 191, 216)))
PERFUSED_VOLUME = Terminology(
    Code(*_SPATIAL), Code("309825002", "Spatial and Relational Concept"), None, _unit((111, 184, 210))
)
