# SPDX-License-Identifier: Apache-2.0
# Installs the libraries, the headers in their folders under include/strata, and a package for find_package(strata).
include(CMakePackageConfigHelpers)

# Headers that show a third party's types or exist for the tests: not installed.
set(private_headers "core/ops/onednn[.]h|distributed/mpi/mpi_(error|transport)[.]h")
if(NOT MPI_CXX_FOUND)
  set(private_headers "${private_headers}|distributed/mpi/mpi[.]h")
endif()

get_property(libraries GLOBAL PROPERTY STRATA_LIBRARIES)
install(TARGETS ${libraries} EXPORT strata-targets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY core layers distributed io DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/strata
  FILES_MATCHING PATTERN *.h REGEX "(${private_headers})$" EXCLUDE)
install(DIRECTORY strata/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/strata FILES_MATCHING PATTERN *.h)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/strata)
install(EXPORT strata-targets NAMESPACE strata:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/strata-config.cmake.in
  ${PROJECT_BINARY_DIR}/strata-config.cmake INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/strata-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/strata-config.cmake ${PROJECT_BINARY_DIR}/strata-config-version.cmake
  DESTINATION ${package_dir})
if(NOT BUILD_SHARED_LIBS)
  install(FILES cmake/FindOneDNN.cmake cmake/FindxxHash.cmake cmake/FindXsmm.cmake DESTINATION ${package_dir})
endif()
