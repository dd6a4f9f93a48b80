// SPDX-License-Identifier: Apache-2.0
// STRATA_VERBOSE=1: lines on stderr about choices the engine makes.
#pragma once

#include <string_view>

namespace strata {

/// The value of the environment variable STRATA_VERBOSE, 0 when unset; read once.
int verbosity();
/// Writes one line "strata: <text>" to stderr, whole lines from any thread.
void verbose_line(std::string_view text);

}  // namespace strata
