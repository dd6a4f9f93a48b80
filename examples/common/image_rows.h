// SPDX-License-Identifier: Apache-2.0
// What the examples over image rows share: MNIST images as sequences of 28 rows.
#pragma once

#include "common/example.h"

namespace strata::examples {

/// Trains `model`, which takes (28, 28) and gives 10 logits, on the MNIST files of the example's directory; prints and
/// reports loss and accuracy on the test images.
void train_on_image_rows(Example& example, Model model);

}  // namespace strata::examples
