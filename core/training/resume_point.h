// SPDX-License-Identifier: Apache-2.0
// What `resume` of fit, or --resume, asks for.
#pragma once

#include <cstdint>
#include <string>

namespace strata {

/// Which checkpoint of a directory a run begins at.
struct ResumePoint {
  enum class Kind { newest, none, step };
  Kind kind = Kind::newest;
  std::int64_t step = 0;
};

/// "auto", "never", or the number of a step. Throws ConfigError for other text.
ResumePoint resume_point(const std::string& text);

}  // namespace strata
