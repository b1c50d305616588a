"""What segments are, in the codes of SNOMED CT, with the colours and texts that Slicer knows them by.

Codes, meanings and colours are those of Slicer's DICOM master list (its file
SegmentationCategoryTypeModifier-DICOM-Master.json); those of liver segments and of lesions, which that list lacks, are
the ones the TotalSegmentator extension of Slicer uses (totalsegmentator_snomed_mapping.csv).  Colours without an entry
in either list are our own.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Categories of SNOMED CT in which DICOM segmentations state their types.
_ANATOMY = ("123037004", "Anatomical Structure")
_ALTERED = ("49755003", "Morphologically Altered Structure")
_FUNCTION = ("246464006", "Function")
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
        Red, green, blue in [0, 1].
    region : Code, optional
        Organ in which the type is found, of a vessel or a lesion for instance.
    """

    category: Code
    type: Code
    modifier: Code | None = None
    colour: tuple[float, float, float] = (0.5, 0.7, 0.6)
    region: Code | None = None

    @property
    def slicer_text(self) -> str:
        """The terminology of a segment as Slicer stores it: fields between tildes."""
        modifier = self.modifier.fields if self.modifier else "^^"
        region = self.region.fields if self.region else "^^"
        return "~".join((_CONTEXT, self.category.fields, self.type.fields, modifier, _REGIONS, region, "^^"))


def code_of_type(slicer_text: str) -> str:
    """Return the code of the type in a terminology as Slicer stores it, empty if it has none."""
    return _code_in(slicer_text, 2)


def code_of_region(slicer_text: str) -> str:
    """Return the code of the anatomic region in a terminology as Slicer stores it, empty if it has none."""
    return _code_in(slicer_text, 5)


def _code_in(slicer_text: str, field: int) -> str:
    fields = slicer_text.split("~")
    parts = fields[field].split("^") if len(fields) > field else []
    return parts[1] if len(parts) > 1 else ""


def _anatomy(
    value: str, meaning: str, rgb: tuple[int, int, int], modifier: Code | None = None, region: Code | None = None
) -> Terminology:
    return Terminology(Code(*_ANATOMY), Code(value, meaning), modifier, _unit(rgb), region)


def _altered(value: str, meaning: str, rgb: tuple[int, int, int], region: Code | None = None) -> Terminology:
    return Terminology(Code(*_ALTERED), Code(value, meaning), None, _unit(rgb), region)


def _unit(rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    return tuple(round(level / 255.0, 6) for level in rgb)  # type: ignore[return-value]


_RIGHT, _LEFT = Code("24028007", "Right"), Code("7771000", "Left")
_IN_LIVER = Code("10200004", "Liver")

BODY = _anatomy("38266002", "Entire body", (177, 122, 101))
LIVER = _anatomy("10200004", "Liver", (221, 130, 101))
LUNGS = _anatomy("39607008", "Lung", (197, 165, 145))
LEFT_LUNG = _anatomy("39607008", "Lung", (197, 165, 145), _LEFT)
RIGHT_LUNG = _anatomy("39607008", "Lung", (197, 165, 145), _RIGHT)
SPLEEN = _anatomy("78961009", "Spleen", (157, 108, 162))
LEFT_KIDNEY = _anatomy("64033007", "Kidney", (185, 102, 83), _LEFT)
RIGHT_KIDNEY = _anatomy("64033007", "Kidney", (185, 102, 83), _RIGHT)
GALLBLADDER = _anatomy("28231008", "Gallbladder", (139, 150, 98))
STOMACH = _anatomy("69695003", "Stomach", (216, 132, 105))
DUODENUM = _anatomy("38848004", "Duodenum", (255, 253, 229))
PANCREAS = _anatomy("15776009", "Pancreas", (249, 180, 111))
LIVER_VESSELS = _anatomy("59820001", "Blood vessel", (216, 101, 79), region=_IN_LIVER)
#: The liver segments of Couinaud, I to VIII.
LIVER_SEGMENTS = (
    _anatomy("71133005", "Caudate lobe of liver", (186, 85, 211)),
    _anatomy("277956007", "Couinaud hepatic segment II", (111, 184, 210)),
    _anatomy("277957003", "Couinaud hepatic segment III", (68, 131, 98)),
    _anatomy("277958008", "Couinaud hepatic segment IV", (241, 214, 145)),
    _anatomy("277959000", "Couinaud hepatic segment V", (188, 95, 76)),
    _anatomy("277960005", "Couinaud hepatic segment VI", (128, 174, 128)),
    _anatomy("277961009", "Couinaud hepatic segment VII", (144, 180, 220)),
    _anatomy("277962002", "Couinaud hepatic segment VIII", (216, 160, 100)),
)
TUMOUR = _altered("4147007", "Mass", (144, 238, 144), _IN_LIVER)
NECROSIS = _altered("6574001", "Necrosis", (216, 191, 216), _IN_LIVER)
PERFUSED_VOLUME = Terminology(Code(*_FUNCTION), Code("371863001", "Perfusion"), None, _unit((111, 184, 210)), _IN_LIVER)
