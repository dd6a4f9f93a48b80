// SPDX-License-Identifier: Apache-2.0
// What kernels are made for in this process. Their bits depend on it, and the environment can change it.
#pragma once

#include <string>

namespace strata {

/// "x86-64-v4, oneDNN 2.6.3 for avx512_core, libxsmm 1.17 for skx". Ranks compare it before they train together.
std::string instruction_sets();

// Its parts: each library's version and the instructions that it generates code with. Not "" for a missing library.
std::string onednn_instruction_set();
std::string xsmm_instruction_set();

}  // namespace strata
