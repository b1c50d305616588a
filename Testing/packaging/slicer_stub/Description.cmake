# Writes the description that comes with the package and sets up CPack.

function(_describe)
  # Unquoted values, as in Slicer: what follows a semicolon in a value that must be single is lost.
  cmake_parse_arguments(MY "" "HOMEPAGE;CATEGORY;DESCRIPTION;ICONURL;TIER" "CONTRIBUTORS;SCREENSHOTURLS;DEPENDS;KEYWORDS"
    HOMEPAGE ${EXTENSION_HOMEPAGE}
    CATEGORY ${EXTENSION_CATEGORY}
    DESCRIPTION ${EXTENSION_DESCRIPTION}
    ICONURL ${EXTENSION_ICONURL}
    TIER ${EXTENSION_TIER}
    CONTRIBUTORS ${EXTENSION_CONTRIBUTORS}
    SCREENSHOTURLS ${EXTENSION_SCREENSHOTURLS}
    DEPENDS ${EXTENSION_DEPENDS}
    KEYWORDS ${EXTENSION_KEYWORDS}
    )
  set(_lines "")
  foreach(_key HOMEPAGE CATEGORY DESCRIPTION ICONURL TIER CONTRIBUTORS SCREENSHOTURLS DEPENDS KEYWORDS)
    string(TOLOWER "${_key}" _name)
    string(APPEND _lines "${_name} ${MY_${_key}}\n")
  endforeach()
  file(WRITE "${CMAKE_BINARY_DIR}/${PROJECT_NAME}.s4ext" "${_lines}")
endfunction()

_describe()
install(FILES "${CMAKE_BINARY_DIR}/${PROJECT_NAME}.s4ext" DESTINATION "${Slicer_SHARE_DIR}")
set(CPACK_GENERATOR "TGZ")
set(CPACK_PACKAGE_FILE_NAME "0-stub-${PROJECT_NAME}")
set(CPACK_PACKAGE_DESCRIPTION_FILE "${CMAKE_SOURCE_DIR}/README.md")
set(CPACK_RESOURCE_FILE_LICENSE "${CMAKE_SOURCE_DIR}/LICENSE.txt")
include(CPack)
