// SPDX-License-Identifier: Apache-2.0
// Internal: names of files that tell when they were written.
#pragma once

#include <optional>
#include <string>

#include "core/training/callback.h"

namespace strata {

/// `pattern` with {epoch}, {batch} where it is given, and {name} of any log replaced by their values, as Python's
/// str.format does: "{epoch:02d}", "{loss:.3f}", "{{" for a brace. Throws ConfigError for another name, naming those
/// there are, and for what is not a format.
std::string file_name(const std::string& pattern, int epoch, std::optional<Dim> batch, const Logs& logs);

}  // namespace strata
