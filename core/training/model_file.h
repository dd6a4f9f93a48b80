// SPDX-License-Identifier: Apache-2.0
// What a model file holds, and the seam to those who read and write such files.
#pragma once

#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/tensor/tensor.h"

namespace strata {

struct NamedArray {
  std::string name;  // "dense/kernel"
  Tensor value;
};

struct SavedLayer {
  std::string name;
  std::vector<NamedArray> weights;  // trainable ones first
};

/// The variables of one group of Keras 3's files of weights: see core/model/stored_parts.h.
struct SavedGroup {
  std::string path;  // "layers/dense"; "" = the root
  std::string name;  // of the layer or optimizer
  std::vector<Tensor> variables;
};

struct ModelFile {
  std::string keras_version = {};       // of the layout; "1" when a file does not say
  Config model = {};                    // {"class_name", "config"}; null in a file of weights alone
  Config training = {};                 // what the model was compiled with; null when it was not
  Config position = {};                 // where training stands; null in files of others
  std::vector<SavedLayer> layers = {};  // in the order of the model's layers
  std::vector<NamedArray> optimizer = {};
  std::vector<SavedGroup> groups = {};  // in a file of weights in Keras 3's own layout, which has nothing else
};

/// Implemented by io. Both throw IoError naming the file, and what in it. Thread-safe.
class ModelFileFormat {
 public:
  virtual ~ModelFileFormat() = default;
  /// The file appears whole, or not at all.
  virtual void write(const std::string& path, const ModelFile& file) const = 0;
  virtual ModelFile read(const std::string& path) const = 0;
};

/// What files are read and written with. Set once, by io; lives for ever.
void set_model_file_format(const ModelFileFormat* format);
/// Throws InternalError when none is set.
const ModelFileFormat& model_file_format();

}  // namespace strata
