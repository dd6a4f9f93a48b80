// SPDX-License-Identifier: Apache-2.0
// Run-time dispatch for vectorisable loops: one binary holds a clone for each instruction set and picks at load time.
#pragma once

#include <string_view>

// Clones go through ifuncs, which sanitizer run-times do not survive, and clang 16 has no "arch=x86-64-v3" clones.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define STRATA_SIMD_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define STRATA_SIMD_CLONES
#endif

namespace strata {

/// The instruction set that clones dispatch to here: "x86-64-v4", "x86-64-v3" or "default".
std::string_view instruction_set();

}  // namespace strata
