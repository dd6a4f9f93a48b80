// SPDX-License-Identifier: Apache-2.0
// Floats that travel as bfloat16. What a rounding takes away is added to what is sent from that place the next time, so
// that over many steps nothing is lost (error feedback: Seide et al., "1-bit stochastic gradient descent", Interspeech
// 2014; Karimireddy et al., "Error feedback fixes SignSGD", ICML 2019).
#pragma once

#include <cstddef>

#include "core/base/half.h"

namespace strata {

/// to[i] = values[i] + errors[i], rounded; errors[i] = what that took away, 0 where it is not finite.
void encode_with_feedback(Bfloat16* to, const float* values, float* errors, std::size_t count);
/// The same in place: values[i] become the rounded ones.
void round_with_feedback(float* values, float* errors, std::size_t count);
/// Of values that are bfloat16 already.
void encode(Bfloat16* to, const float* values, std::size_t count);
void decode(float* to, const Bfloat16* from, std::size_t count);

}  // namespace strata
