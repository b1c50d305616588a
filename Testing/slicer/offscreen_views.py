"""Slice and 3D views without a screen, drawn by Slicer's own displayable managers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from offscreen_window import DARK, DARK_ABOVE, new_window, picture_of, save_picture

_SLICE_MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)
_SPACE_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
)
#: In 3D: where the camera stands, seen from the middle of the scene, in RAS.
_FROM_FRONT = (0.35, 1.0, 0.30)
#: Translucent layers told apart; more cost seconds without a graphics card.
_PEELS = 16


class _View:
    """A renderer with the displayable managers of a kind of view."""

    def __init__(self, scene: Any, size: tuple[int, int]) -> None:
        import slicer
        import vtk

        self._scene, self._before = scene, _node_ids(scene)
        self.renderer, self.window = vtk.vtkRenderer(), new_window(size)
        self.window.AddRenderer(self.renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()  # the manager of markups asks for one
        self._interactor.SetRenderWindow(self.window)
        self._group = slicer.vtkMRMLDisplayableManagerGroup()

    def _start(self, factory: Any, managers: tuple[str, ...], node: Any) -> None:
        factory.SetMRMLApplicationLogic(_application())
        for manager in managers:
            if not factory.IsDisplayableManagerRegistered(manager):
                factory.RegisterDisplayableManager(manager)
        self._group.Initialize(factory, self.renderer)
        self._group.SetMRMLDisplayableNode(node)
        self._own = _node_ids(self._scene) - self._before

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Take the view and its nodes out of the scene, which otherwise keeps them even when it is cleared."""
        self._group.SetMRMLDisplayableNode(None)
        for logics in (_application().GetSliceLogics(), _application().GetViewLogics()):
            if logics is not None:
                logics.RemoveItem(self.logic)
        self.logic.SetMRMLScene(None)
        for node_id in self._own & _node_ids(self._scene):
            self._scene.RemoveNode(self._scene.GetNodeByID(node_id))
        self.window.Finalize()

    def picture(self) -> np.ndarray:
        """Return what the view shows as an array (rows, columns, 3) of bytes, top row first."""
        return picture_of(self.window)

    def save(self, path: Path) -> None:
        """Write what the view shows as PNG."""
        save_picture(self.window, path)


class SliceView(_View):
    """A slice view such as Red."""

    def __init__(self, scene: Any, name: str = "Red", orientation: str = "Axial", size: Any = (800, 640)) -> None:
        import slicer
        import vtk

        super().__init__(scene, size)
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255.0)
        mapper.SetColorLevel(127.5)
        self._image = vtk.vtkActor2D()
        self._image.SetMapper(mapper)
        self._image.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(self._image)  # before the managers, or it hides what is half-transparent
        self.logic = slicer.vtkMRMLSliceLogic()
        _give_to_application(self.logic, "SliceLogics", scene)
        self.node = self.logic.AddSliceNode(name)
        self.node.SetOrientation(orientation)
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self._start(slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance(), _SLICE_MANAGERS, self.node)

    @property
    def composite(self) -> Any:
        """The node with the layers of the view."""
        return self.logic.GetSliceCompositeNode()

    def fit(self, around: Any = None, margin: float = 1.1) -> None:
        """Show a displayable node, or the background, in full; the slice stays where it is.

        Parameters
        ----------
        around : vtkMRMLDisplayableNode, optional
        margin : float
            Shown width over the width of the node.
        """
        import slicer

        offset = self.logic.GetSliceOffset()
        self.logic.ResizeSliceNode(*self.window.GetSize())
        self.logic.FitSliceToBackground()
        self.logic.SetSliceOffset(offset)
        if around is not None:
            self._center_on(around, margin)
        self.node.SetRulerType(slicer.vtkMRMLAbstractViewNode.RulerTypeThin)
        self._image.GetMapper().SetInputConnection(self.logic.GetImageDataConnection())
        self._show_legends()

    def _center_on(self, node: Any, margin: float) -> None:
        bounds = [0.0] * 6
        node.GetRASBounds(bounds)
        low, high = np.array(bounds[::2]), np.array(bounds[1::2])
        to_ras = self.node.GetSliceToRAS()
        axes = np.array([[to_ras.GetElement(row, column) for column in range(3)] for row in range(3)])
        here = np.array([to_ras.GetElement(row, 3) for row in range(3)])
        middle = (low + high) / 2.0
        middle += axes[:, 2] * (axes[:, 2] @ (here - middle))
        across, up = margin * (np.abs(axes.T) @ (high - low))[:2]
        width, height = self.window.GetSize()
        across = max(across, up * width / height)
        self.node.SetFieldOfView(across, across * height / width, self.node.GetFieldOfView()[2])
        self.node.JumpSliceByCentering(*middle)

    def _show_legends(self) -> None:
        """Let the manager make legends of color for display nodes that are older than the view."""
        self.composite.SetInteractionFlags(self.composite.ForegroundVolumeFlag)
        self.composite.Modified()
        self.composite.SetInteractionFlags(0)

    def world_to_pixel(self, ras_mm: tuple[float, float, float]) -> tuple[int, int]:
        """Return the row and column in ``picture()`` of a point in the plane of the view."""
        import vtk

        inverse = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.node.GetXYToRAS(), inverse)
        x, y = inverse.MultiplyPoint((*ras_mm, 1.0))[:2]
        return self.window.GetSize()[1] - 1 - round(y), round(x)


class ThreeDView(_View):
    """A 3D view, seen obliquely from the front."""

    def __init__(self, scene: Any, name: str = "1", size: Any = (800, 640)) -> None:
        import slicer

        super().__init__(scene, size)
        self.logic = slicer.vtkMRMLViewLogic()
        _give_to_application(self.logic, "ViewLogics", scene)
        self.node = self.logic.AddViewNode(name)
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)
        self.node.SetBackgroundColor(*DARK)
        self.node.SetBackgroundColor2(*DARK_ABOVE)
        self.node.SetOrientationMarkerType(slicer.vtkMRMLAbstractViewNode.OrientationMarkerTypeAxes)
        self._start(slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance(), _SPACE_MANAGERS, self.node)
        self.renderer.SetUseDepthPeeling(1)
        self.renderer.SetMaximumNumberOfPeels(_PEELS)

    def fit(self, zoom: float = 1.0) -> None:
        """Look at everything that is shown."""
        self.window.Render()
        camera = self.renderer.GetActiveCamera()
        camera.SetFocalPoint(0.0, 0.0, 0.0)
        camera.SetPosition(*_FROM_FRONT)
        camera.SetViewUp(0.0, 0.0, 1.0)
        self.renderer.ResetCamera()
        camera.Zoom(zoom)
        self.renderer.ResetCameraClippingRange()


def _give_to_application(logic: Any, collection: str, scene: Any) -> None:
    """Add the logic of a view to those of the application, where displayable managers look for it."""
    import vtk

    application = _application()
    if getattr(application, f"Get{collection}")() is None:
        getattr(application, f"Set{collection}")(vtk.vtkCollection())
    getattr(application, f"Get{collection}")().AddItem(logic)
    logic.SetMRMLApplicationLogic(application)
    logic.SetMRMLScene(scene)


def _node_ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}


def _application() -> Any:
    import slicer

    return slicer.app.applicationLogic()
