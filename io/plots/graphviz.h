// SPDX-License-Identifier: Apache-2.0
// Graphviz' program `dot`.
#pragma once

#include <chrono>
#include <string>

namespace strata {

/// Runs `dot`, found on PATH, on a text in its language; the picture of this format ("png", "svg", "pdf") is at `path`,
/// whole, when this returns. Throws IoError naming `path`: when there is no such program, when it fails, with what it
/// said, or when it has not ended within the limit; then `path` is as it was.
void draw_with_graphviz(const std::string& text, const std::string& path, const std::string& format,
                        std::chrono::milliseconds limit);

}  // namespace strata
