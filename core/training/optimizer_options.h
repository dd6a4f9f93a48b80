// SPDX-License-Identifier: Apache-2.0
// Internal to optimizers: checks of their arguments.
#pragma once

namespace strata {

/// Throws ConfigError with Keras' text, "`momentum` must be between [0, 1].", unless the value is.
void require_fraction(const char* argument, double value);

/// Throws ConfigError unless the value is finite and not negative.
void require_not_negative(const char* argument, double value);

}  // namespace strata
