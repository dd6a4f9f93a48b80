// SPDX-License-Identifier: Apache-2.0
// Several sources side by side.
#pragma once

#include "core/training/sample_source.h"

namespace strata {

/// A source of which the x is wanted, under a name of its own: that of its only array; empty = under its own names.
struct NamedSource {
  SampleSourceRef source;
  std::string name = {};
};

/// The x of each. Throws ConfigError when there is none, or they differ in their numbers of samples.
SampleSourceRef make_zipped_source(const std::vector<NamedSource>& x, const std::vector<NamedSource>& y,
                                   const std::vector<NamedSource>& sample_weight);

}  // namespace strata
