# SPDX-License-Identifier: Apache-2.0
# Installs the libraries, the public headers under include/strata, and a package for find_package(strata).
include(CMakePackageConfigHelpers)

# Where users begin: the umbrella header, and what is for writing layers, ops, communicators and tests of one's own.
set(public_headers strata/strata.h core/program/scan.h core/program/program.h core/ops/kernel.h layers/registry.h
  distributed/local/local_communicator.h)
if(MPI_CXX_FOUND)
  list(APPEND public_headers distributed/mpi/mpi_communicator.h)
endif()

get_property(libraries GLOBAL PROPERTY STRATA_LIBRARIES)
install(TARGETS ${libraries} EXPORT strata-targets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(CODE "
  set(SOURCE \"${PROJECT_SOURCE_DIR}\")
  set(GENERATED \"${PROJECT_BINARY_DIR}/generated\")
  set(DESTINATION \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}\")
  set(ROOTS \"${public_headers}\")
  include(\"${PROJECT_SOURCE_DIR}/cmake/install_headers.cmake\")")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/strata)
install(EXPORT strata-targets NAMESPACE strata:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/strata-config.cmake.in
  ${PROJECT_BINARY_DIR}/strata-config.cmake INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/strata-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/strata-config.cmake ${PROJECT_BINARY_DIR}/strata-config-version.cmake
  DESTINATION ${package_dir})
if(NOT BUILD_SHARED_LIBS)
  install(FILES cmake/FindOneDNN.cmake cmake/FindxxHash.cmake cmake/FindXsmm.cmake cmake/FindMinizip.cmake
          DESTINATION ${package_dir})
endif()
