// SPDX-License-Identifier: Apache-2.0
// What the examples on MNIST share.
#pragma once

#include "common/example.h"

namespace strata::examples {

/// The MNIST files in --data, images as numbers from 0 to 1 of shape (n, image...).
datasets::mnist::Data load_mnist(Example& example, const Shape& image);

/// Trains a model that gives logits (n, 10) for images (n, image...) of numbers from 0 to 1 on the MNIST files in
/// --data, a fifth of the training images kept for validation; prints its summary and test scores and writes the
/// report.
void train_on_mnist(Example& example, Model& model, const Shape& image);

}  // namespace strata::examples
