"""What structures need to know of the image they are used with: its grid and its frame of reference."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from radioembolization.errors import FrameOfReferenceMismatch, FrameOfReferenceUnknown
from radioembolization.images import Grid


@dataclass(frozen=True)
class ReferenceImage:
    """The image that structures are used with.

    Parameters
    ----------
    name : str
        For messages, such as ``"the CT"``.
    grid : Grid
    frame_of_reference : str
        UID; empty if the file has none, as NIfTI and NRRD.
    """

    name: str
    grid: Grid
    frame_of_reference: str = ""

    def check_frame_of_reference(self, uid: str, source: str) -> None:
        """Refuse structures of another frame of reference; warn if either states none.

        Raises
        ------
        FrameOfReferenceMismatch
        """
        if uid and self.frame_of_reference and uid != self.frame_of_reference:
            raise FrameOfReferenceMismatch(
                f"'{source}' lies in the frame of reference {uid}, {self.name} in {self.frame_of_reference}: they do "
                "not share positions. Choose the image the structures were drawn on, or register the two first."
            )
        if not (uid and self.frame_of_reference):
            warnings.warn(
                f"{'The structures in ' + repr(source) if not uid else self.name[:1].upper() + self.name[1:]} state no "
                "frame of reference, so whether structures and image belong together was not checked: look at them.",
                FrameOfReferenceUnknown,
                stacklevel=3,
            )
