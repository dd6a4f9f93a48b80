// SPDX-License-Identifier: Apache-2.0
#include "core/training/resume_point.h"

#include <charconv>

#include "core/base/error.h"

namespace strata {

ResumePoint resume_point(const std::string& text) {
  if (text == "auto") return {};
  if (text == "never") return {ResumePoint::Kind::none};
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (error == std::errc() && end == text.data() + text.size() && step >= 0) return {ResumePoint::Kind::step, step};
  throw ConfigError("expected resume to be \"auto\", \"never\" or a step, received \"" + text + "\"");
}

}  // namespace strata
