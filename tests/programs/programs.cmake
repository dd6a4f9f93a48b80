# SPDX-License-Identifier: Apache-2.0
# Tests that start the examples as processes of their own, alone and under mpirun.
target_compile_definitions(strata_test_support PRIVATE STRATA_MPIEXEC="${mpiexec}")
if(TARGET programs_test)
  target_sources(programs_test PRIVATE programs/mnist_mlp.cpp)
  foreach(example mnist_mlp lenet lstm_rows transformer_rows custom_dense mlp_subclassed custom_rnn tree_rnn
          autoencoder ensemble shared_embedding ticket_router)
    set(program "")
    if(TARGET ${example})
      set(program $<TARGET_FILE:${example}>)
      add_dependencies(programs_test ${example})
    endif()
    string(TOUPPER STRATA_${example} name)
    target_compile_definitions(programs_test PRIVATE ${name}="${program}")
  endforeach()
  target_compile_definitions(programs_test PRIVATE STRATA_FASHION_MNIST_DIR="${STRATA_FASHION_MNIST_DIR}")
endif()
