# Stands in for a build of 3D Slicer: enough for CMake to configure, install and package an extension of
# Python files.  The rules are those of Slicer 5.12, restated: unknown keywords and missing files are errors,
# every listed file keeps its path below the folder of scripted modules, metadata are split at semicolons.

set(Slicer_VERSION "5.12")
set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/GenerateConfig.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/Description.cmake")
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR "lib/Slicer-${Slicer_VERSION}/qt-scripted-modules")
set(Slicer_SHARE_DIR "share/Slicer-${Slicer_VERSION}")
