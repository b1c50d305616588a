"""Reading cases and writing plans; the only place that knows file formats."""

from radioembolization.files.artery_files import read_arteries
from radioembolization.files.case_file import read_case
from radioembolization.files.case_writer import write_case
from radioembolization.files.dicom_series import DicomSeries, read_dicom_series
from radioembolization.files.image_file import read_volume, sha256_of, write_volume
from radioembolization.files.markups_file import NamedPoint, read_points, write_points
from radioembolization.files.plan_file import PLAN_SCHEMA_VERSION, ROWS_NAME, plan_document, plan_text, write_results
from radioembolization.files.plan_reader import PlanFile, read_plan
from radioembolization.files.planning_images import PlanningImages, read_planning_images
from radioembolization.files.planning_series import write_planning_images
from radioembolization.files.reference_image import ReferenceImage
from radioembolization.files.rows_file import read_rows, write_rows
from radioembolization.files.rtdose import read_rtdose, write_rtdose
from radioembolization.files.segmentation_file import Segmentation, read_segmentation
from radioembolization.files.segmentation_writer import write_segmentation, write_structures
from radioembolization.files.sites_files import write_sites
from radioembolization.files.structure_files import read_structures
from radioembolization.files.transform_file import read_transform, write_transform
from radioembolization.files.tree_writer import write_tree

__all__ = [
    "PLAN_SCHEMA_VERSION",
    "ROWS_NAME",
    "DicomSeries",
    "NamedPoint",
    "PlanFile",
    "PlanningImages",
    "ReferenceImage",
    "Segmentation",
    "plan_document",
    "plan_text",
    "read_arteries",
    "read_case",
    "read_dicom_series",
    "read_plan",
    "read_planning_images",
    "read_points",
    "read_rows",
    "read_rtdose",
    "read_segmentation",
    "read_structures",
    "read_transform",
    "read_volume",
    "sha256_of",
    "write_case",
    "write_planning_images",
    "write_points",
    "write_results",
    "write_rows",
    "write_rtdose",
    "write_segmentation",
    "write_sites",
    "write_structures",
    "write_transform",
    "write_tree",
    "write_volume",
]
