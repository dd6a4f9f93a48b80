# SPDX-License-Identifier: Apache-2.0
# Compiler settings and the helpers that every folder's CMakeLists.txt uses.
include(GNUInstallDirs)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET default)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INSTALL_RPATH $ORIGIN/../${CMAKE_INSTALL_LIBDIR} $ORIGIN)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)  # libraries of modules, of Spack, of $HOME/local

find_program(STRATA_CCACHE ccache)
if(STRATA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${STRATA_CCACHE})
endif()
find_program(STRATA_MOLD mold)
if(STRATA_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=mold)
endif()

# Bits must not depend on where the compiler found a multiply-add to contract.
add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -ffp-contract=off -fno-math-errno -fno-trapping-math)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms of GCC 12 inside std::string and std::variant.
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O3")
if(STRATA_SANITIZE)
  add_compile_options(-fsanitize=${STRATA_SANITIZE} -fno-omit-frame-pointer -g1 -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${STRATA_SANITIZE})
endif()

# strata_library(name sources...): the target of one folder, alias strata::name.
function(strata_library name)
  add_library(strata_${name} ${ARGN})
  add_library(strata::${name} ALIAS strata_${name})
  target_compile_features(strata_${name} PUBLIC cxx_std_20)
  target_include_directories(strata_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(strata_${name} PROPERTIES EXPORT_NAME ${name} VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR})
  set_property(GLOBAL APPEND PROPERTY STRATA_LIBRARIES strata_${name})
endfunction()

# strata_generate_list(output pattern macro files...): writes a sorted `macro(stem)` line for every file whose text matches
# pattern with @stem@ replaced by the file's stem. The file is rewritten only when it changes.
function(strata_generate_list output pattern macro)
  set(stems)
  foreach(file IN LISTS ARGN)
    get_filename_component(stem ${file} NAME_WE)
    string(REPLACE "@stem@" "${stem}" wanted "${pattern}")
    file(READ ${file} text)
    string(FIND "${text}" "${wanted}" at)
    if(NOT at EQUAL -1)
      list(APPEND stems ${stem})
    endif()
  endforeach()
  list(SORT stems)
  set(lines "")
  foreach(stem IN LISTS stems)
    string(APPEND lines "${macro}(${stem})\n")
  endforeach()
  set(path ${PROJECT_BINARY_DIR}/generated/${output})
  set(old "")
  if(EXISTS ${path})
    file(READ ${path} old)
  endif()
  if(NOT old STREQUAL lines)
    file(WRITE ${path} "${lines}")
  endif()
endfunction()
