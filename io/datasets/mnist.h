// SPDX-License-Identifier: Apache-2.0
// MNIST and the data sets that share its files and sizes, such as Fashion-MNIST.
#pragma once

#include <string>

#include "core/tensor/tensor.h"

namespace strata::datasets::mnist {

/// As Keras returns them: images uint8 (n, 28, 28) with 0 for background, labels uint8 (n,) in 0..9.
/// The full sets hold 60000 samples for training and 10000 for testing.
struct Data {
  Tensor x_train, y_train, x_test, y_test;
};

/// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte from a
/// directory, each plain or with `.gz` behind its name (the plain one when both are there). Throws IoError naming the
/// file when one is missing or malformed, of another shape or type, when images and labels differ in number, or when a
/// label is above 9. Nothing is downloaded. Thread-safe.
Data load_data(const std::string& directory);

}  // namespace strata::datasets::mnist
