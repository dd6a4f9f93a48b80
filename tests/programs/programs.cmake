# SPDX-License-Identifier: Apache-2.0
# Tests that start the examples as processes of their own, alone and under mpirun.
target_compile_definitions(strata_test_support PRIVATE STRATA_MPIEXEC="${mpiexec}")
if(TARGET programs_test)
  target_sources(programs_test PRIVATE programs/mnist_mlp.cpp)
  add_dependencies(programs_test backup_run)
  # STRATA_<EXAMPLE> is the path of each example.
  get_property(examples DIRECTORY ${PROJECT_SOURCE_DIR}/examples PROPERTY BUILDSYSTEM_TARGETS)
  foreach(example IN LISTS examples)
    get_target_property(type ${example} TYPE)
    if(NOT type STREQUAL EXECUTABLE)
      continue()
    endif()
    add_dependencies(programs_test ${example})
    string(TOUPPER STRATA_${example} name)
    target_compile_definitions(programs_test PRIVATE ${name}="$<TARGET_FILE:${example}>")
  endforeach()
  target_compile_definitions(programs_test PRIVATE STRATA_FASHION_MNIST_DIR="${STRATA_FASHION_MNIST_DIR}")
endif()
