// SPDX-License-Identifier: Apache-2.0
// Internal to training: several sources side by side.
#pragma once

#include "core/training/sample_source.h"

namespace strata {

/// The x of each, as x, y and sample_weight; the last two may be null. Throws ConfigError when they differ in their
/// numbers of samples.
SampleSourceRef make_zipped_source(SampleSourceRef x, SampleSourceRef y, SampleSourceRef sample_weight);

}  // namespace strata
