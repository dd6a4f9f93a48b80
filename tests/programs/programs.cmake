# SPDX-License-Identifier: Apache-2.0
# Tests that start the examples as processes of their own, alone and under mpirun.
target_compile_definitions(strata_test_support PRIVATE STRATA_MPIEXEC="${mpiexec}")
if(TARGET programs_test)
  target_sources(programs_test PRIVATE programs/mnist_mlp.cpp)
  set(mnist_mlp "")
  if(TARGET mnist_mlp)
    set(mnist_mlp $<TARGET_FILE:mnist_mlp>)
    add_dependencies(programs_test mnist_mlp)
  endif()
  target_compile_definitions(programs_test PRIVATE STRATA_MNIST_MLP="${mnist_mlp}"
                             STRATA_FASHION_MNIST_DIR="${STRATA_FASHION_MNIST_DIR}")
endif()
