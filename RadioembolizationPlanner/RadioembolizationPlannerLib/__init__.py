"""The seam between 3D Slicer and the planning core: the only code that knows both."""
