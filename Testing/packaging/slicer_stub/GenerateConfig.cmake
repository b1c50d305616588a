# Slicer writes here what other extensions need to build against C++ libraries; there are none.
