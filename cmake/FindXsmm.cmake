# SPDX-License-Identifier: Apache-2.0
# libxsmm: Xsmm::Xsmm. The library ships no CMake package.
find_path(Xsmm_INCLUDE_DIR libxsmm.h)
find_library(Xsmm_LIBRARY xsmm)
find_library(Xsmm_NOBLAS_LIBRARY xsmmnoblas)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Xsmm REQUIRED_VARS Xsmm_LIBRARY Xsmm_NOBLAS_LIBRARY Xsmm_INCLUDE_DIR)
if(Xsmm_FOUND AND NOT TARGET Xsmm::Xsmm)
  add_library(Xsmm::Xsmm UNKNOWN IMPORTED)
  set_target_properties(Xsmm::Xsmm PROPERTIES IMPORTED_LOCATION ${Xsmm_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${Xsmm_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "${Xsmm_NOBLAS_LIBRARY};${CMAKE_DL_LIBS};m")
endif()
