// SPDX-License-Identifier: Apache-2.0
// Internal to training: arrays in memory, read as any other source.
#pragma once

#include "core/training/dataset.h"

namespace strata {

/// Throws ConfigError when the arrays differ in their numbers of rows.
SampleSourceRef make_memory_source(const Samples& samples);

/// Arrays of no rows that have the names, shapes and types of a source's.
Samples empty_arrays(const SampleSpecs& specs);

}  // namespace strata
