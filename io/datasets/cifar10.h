// SPDX-License-Identifier: Apache-2.0
// CIFAR-10 (A. Krizhevsky, Learning multiple layers of features from tiny images, 2009) in its binary version.
#pragma once

#include <string>

#include "core/tensor/tensor.h"

namespace strata::datasets::cifar10 {

/// As Keras returns them: images uint8 (n, 32, 32, 3), red first, and labels uint8 (n, 1) in 0..9. The full set holds
/// 50000 samples for training and 10000 for testing.
struct Data {
  Tensor x_train, y_train, x_test, y_test;
};

/// Reads data_batch_1.bin to data_batch_5.bin and test_batch.bin from a directory or its cifar-10-batches-bin, each
/// plain or with `.gz` behind its name. A file is a row of samples: the label, then 1024 bytes each of red, green and
/// blue. Throws IoError naming the file when one is missing, empty or ends within a sample, or when a label is above 9.
/// Nothing is downloaded. Thread-safe.
Data load_data(const std::string& directory);

}  // namespace strata::datasets::cifar10
