"""Errors and warnings of the planner: each says what, where, and how to fix it."""


class PlannerError(Exception):
    """Anything the planner refuses to do; the message says what, where and how to fix it."""


class InputError(PlannerError, ValueError):
    """An image, structure, case file or number cannot be used as given."""


class CaseFileError(InputError):
    """The case file has a missing, unknown or wrong entry."""


class PlanFileError(InputError):
    """A plan file, or the dose rows beside it, cannot be read: broken, incomplete, or something else."""


class FileMissing(InputError):
    """A file named by the user does not exist or cannot be read."""


class ImageError(InputError):
    """An image has values or a geometry that cannot be used."""


class DicomError(InputError):
    """A DICOM file or series is broken, mixed, or lacks what is needed of it."""


class NoOverlap(ImageError):
    """Two images, or an image and a structure, do not share any space."""


class StructureError(InputError):
    """A structure is missing, empty or in the wrong place."""


class TerritoryError(InputError):
    """An injection site, its territory or its lung shunt cannot be used."""


class LungMassMissing(InputError):
    """A lung limit was asked for without a lung structure or an entered lung mass."""


class LimitError(InputError):
    """A goal or limit does not fit the structures or the device."""


class ParameterMissing(InputError):
    """A radiobiological parameter has no published value and none was given."""


class TooFewTimePoints(InputError):
    """A time-activity model has more parameters than there are measurements."""


class HalfLifeError(InputError):
    """An effective half-life that is longer than that of the nuclide, or missing."""


class UncertaintyError(LimitError):
    """A spread, or the scenarios drawn from it, cannot be used: unknown name, no physical value, no scenario."""


class VialError(InputError):
    """A vial, its calibration or its calendar cannot be used: no time zone, no decay sense, no size that fits."""


class DeviceMismatch(LimitError):
    """A limit made for one device was applied to another without a stated reason."""


class CourseError(InputError):
    """An administration, the history of a patient or the order of a course cannot be used as given."""


class UnboundedActivity(LimitError):
    """No limit bounds the activity of a site, so no optimal plan exists."""


class Infeasible(PlannerError):
    """The limits contradict each other; the message names the least relaxation.

    Attributes
    ----------
    excess : dict of str to float
        Smallest joint violation by limit, in the unit of each limit.
    irreducible : tuple of str
        Limits that cannot be met together, though without any one of them the others can; empty if not known.
    """

    def __init__(self, message: str, excess: dict[str, float] | None = None, irreducible: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.excess = excess or {}
        self.irreducible = irreducible


class SolverFailure(PlannerError):
    """The solver ended without a usable plan."""


class CertificateRejected(PlannerError):
    """A plan, its bound or the proof of it do not stand up to being computed anew."""


class MissingPackage(PlannerError, ImportError):
    """A package needed by one feature is not installed; the message names both."""


class WorkerDied(PlannerError):
    """The process of a calculation ended without a result: killed, out of memory, or by an error of the program."""


class ToolFailed(PlannerError):
    """A program of others that was asked for help failed, or found nothing."""


class PlannerWarning(UserWarning):
    """Something the reader of a plan must know; its class name is printed with the message."""


class NegativeCountsSetToZero(PlannerWarning):
    """Small negative scout counts, as filtered reconstructions leave them, were set to zero."""


class TumourPartlyOutsideLiver(PlannerWarning):
    """Part of a tumour lies outside the liver structure."""


class TumoursOverlap(PlannerWarning):
    """Two tumours share voxels, which count for both."""


class TumourNotPerfused(PlannerWarning):
    """Part of a tumour lies outside every candidate territory."""


class TerritoryPartlyOutsideLiver(PlannerWarning):
    """Part of a perfused volume lies outside the liver and receives no microspheres in the model."""


class TerritoryHardlyPerfused(PlannerWarning):
    """The scout shows next to no counts in part of a territory."""


class TerritoryNotNested(PlannerWarning):
    """Part of a territory lies outside that of the site upstream of it."""


class OutflowNowhere(PlannerWarning):
    """Microspheres flow out to an organ that is not drawn, so they are in no dose row."""


class AssumedLungMass(PlannerWarning):
    """The lung mass is a stated assumption, not measured from CT."""


class AssumedBiology(PlannerWarning):
    """A radiobiological parameter is a stated assumption that sources do not settle."""


class SmallStructure(PlannerWarning):
    """A structure is represented by few voxels, or its volume changed on the planning grid."""


class SyntheticData(PlannerWarning):
    """Part of the input was made by the program and belongs to no patient."""


class LimitOverride(PlannerWarning):
    """A limit was used outside the device it was published for, with the user's reason."""


class LungDoseCaution(PlannerWarning):
    """The lung dose or shunt is within the limit but in a range with reported toxicity."""


class EnergyLeavesGrid(PlannerWarning):
    """A noticeable share of the emitted energy is absorbed outside the planning grid."""


class UnlikelyActivity(PlannerWarning):
    """An activity map holds far more or less activity than any treatment: its unit is hardly Bq/mL."""


class UniformTransport(PlannerWarning):
    """Density varies, but energy was carried as in a homogeneous medium: errors near the lung and in air."""


class DensityUnknown(PlannerWarning):
    """The CT does not reach all voxels whose density matters."""


class StructurePartlyOutside(PlannerWarning):
    """Part of a structure lies outside the image it is evaluated on."""


class ActivityInAir(PlannerWarning):
    """Part of the activity lies in voxels of nearly no mass, whose dose has no meaning."""


class PopulationUptake(PlannerWarning):
    """Dose per activity or a half-life of 177Lu was taken from published patients, not from this one."""


class UnusualUptake(PlannerWarning):
    """Dose per activity of 177Lu is outside what was published for the organ."""


class PredictedDose(PlannerWarning):
    """A delivered administration was not measured in a structure; what was predicted stands in."""


class SlowClearance(PlannerWarning):
    """Measured activity falls no faster than by physical decay; the fit stopped at that bound."""


class PoorFit(PlannerWarning):
    """A time-activity curve does not describe its measurements within their stated uncertainty."""


class MostlyExtrapolated(PlannerWarning):
    """Much of a time-integrated activity lies after the last measurement."""


class PartialVolumeLoss(PlannerWarning):
    """A structure is so small that emission images lose part of its activity, which is not corrected."""


class RegistrationFailed(PlannerError):
    """No transform between two images could be found that is fit for use."""


class RegistrationUncertain(PlannerWarning):
    """The transform found between two images may be wrong: look at them before it is used."""


class TumoursMovedOut(PlannerWarning):
    """Some scenarios displace every tumour out of the territories, where no plan treats it."""


class FrameOfReferenceMismatch(InputError):
    """Images and structures lie in different frames of reference: positions in one mean nothing in the other."""


class UnnamedLabels(StructureError):
    """A label map does not say what its values are; the message lists them and the lines that name them."""


class StructuresRecognised(PlannerWarning):
    """Roles of structures were concluded from their codes or names, not named by the user."""


class FractionalSegmentation(PlannerWarning):
    """A segmentation holds shares or probabilities; voxels from one half on were taken."""


class FrameOfReferenceUnknown(PlannerWarning):
    """Structures state a frame of reference, the image does not: whether they belong together was not checked."""


class ContoursInterpolated(PlannerWarning):
    """Contours are farther apart than the slices of the image; slices between got those of the nearest contour."""


class BranchOutOfReach(PlannerWarning):
    """An artery that feeds no other ends too far from the liver to supply it, and gets no territory."""


class BranchWithoutTerritory(PlannerWarning):
    """No voxel of the liver belongs to an artery: others are nearer everywhere."""


class LiverPieceWithoutArtery(PlannerWarning):
    """A piece of the liver that touches no other holds no artery; it went to the nearest by straight line."""


class FlowNotMet(PlannerWarning):
    """The volumes of territories cannot follow the flow of the arteries, as the liver is in separate pieces."""


class NarrowArtery(PlannerWarning):
    """An artery is thinner than a microcatheter where a site lies, or on the way to it."""


class CandidatesLeftOut(PlannerWarning):
    """Injection sites that the arterial tree offers were left out, or stand for others as well."""


class LungShuntError(TerritoryError):
    """A lung shunt, or the counts it is computed from, cannot be used."""


class LungsCropped(LungShuntError):
    """Too little of the lungs was measured to know how much activity is in them."""


class LungsExtrapolated(PlannerWarning):
    """Part of the lungs was not measured; the mean concentration of the rest stands in."""


class LungShuntHigh(PlannerWarning):
    """The lung shunt is in a range in which less activity, or none, is given."""


class ShuntMethodsDisagree(PlannerWarning):
    """Lung shunts of one patient by two methods differ more than these methods usually do."""


class ShuntNotComputed(PlannerWarning):
    """A lung shunt by one method could not be computed; others are known."""


class PlanarViewsDisagree(PlannerWarning):
    """Anterior and posterior image fit together better the other way round."""


class LesionWithoutCounts(PlannerWarning):
    """The scout image has no counts in a tumour: by it, nothing that is injected gets there."""


class ExtrahepaticFocusFound(PlannerWarning):
    """The scout image is hot outside liver and lungs, where nothing should be."""


class ArterialTreeError(TerritoryError):
    """Vessels do not make one arterial tree: a gap, two roots, no artery, no length, or a wrong unit."""


class ArteriesJoined(PlannerWarning):
    """Vessels that do not touch were joined to one arterial tree across small gaps."""


class ArteriesTouchTwice(PlannerWarning):
    """Vessels meet a second time, which would make a circle; the second way is ignored."""


class ArterialRootAssumed(PlannerWarning):
    """The vessel that feeds all others was neither stated nor named; the thickest end was taken."""


class ArterialRootThin(PlannerWarning):
    """The root of an arterial tree is thinner than an artery that it feeds."""


class AssumedArteryRadius(PlannerWarning):
    """A centreline says nothing of its radius; a stated value stands in."""


class VeinsLeftOut(PlannerWarning):
    """Vessels whose names say that they are veins were left out of the arterial tree."""


class VesselLoopsBroken(PlannerWarning):
    """Arteries of a vessel mask run in a circle, which no tree has; it was cut where it is thinnest."""


class VesselPiecesLeftOut(PlannerWarning):
    """Pieces of a vessel mask were left out of the arterial tree: too far from the rest, or no vessels."""


class LiverInPieces(PlannerWarning):
    """Part of the liver is not connected to the rest, and no synthetic arteries grow there."""


class PerfusedVolumeUncertain(PlannerWarning):
    """What is enhanced in a contrast CT may not be the territory of the site: look at it."""
