# SPDX-License-Identifier: Apache-2.0
# The test that an installed Strata serves another project. Installing needs every target, so ctest runs it after a full build.
set(consumer_flags "")
if(STRATA_SANITIZE)
  set(consumer_flags -fsanitize=${STRATA_SANITIZE})
endif()
add_test(NAME consumer COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR} -DSOURCE=${PROJECT_SOURCE_DIR}/tests/consumer
  -DWORK=${PROJECT_BINARY_DIR}/consumer -DGENERATOR=${CMAKE_GENERATOR} -DCOMPILER=${CMAKE_CXX_COMPILER}
  -DFLAGS=${consumer_flags} -DLINK_FLAGS=${consumer_flags} -P ${PROJECT_SOURCE_DIR}/tests/consumer/run.cmake)
set_tests_properties(consumer PROPERTIES LABELS consumer TIMEOUT 180)
