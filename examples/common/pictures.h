// SPDX-License-Identifier: Apache-2.0
// Pictures for examples: read, drawn, written.
#pragma once

#include "common/example.h"

namespace strata::examples {

/// The PNG file in red, green and blue, averaged to size x size pixels: float32 (1, size, size, 3) from 0 to 255.
Tensor load_picture(const std::string& path, Dim size);
/// A hill before a setting sun, of that shape.
Tensor draw_landscape(Dim size);
/// Waves of colour, likewise.
Tensor draw_waves(Dim size);
/// Writes it as a PNG file, on rank 0.
void save_picture(const std::string& path, const Tensor& picture);

/// A model that is nothing but an image (1, height, width, 3) with values from 0 to 255.
class Picture : public SubclassedModel {
 public:
  explicit Picture(const Tensor& start)
      : pixels_(add_weight("pixels", start.shape(),
                           {.initializer = [start](const Shape&, Dtype, const RandomKey&) { return start; },
                            .constraint = {"Pixels", {}, [](const Tensor& x) { return ops::clip(x, 0, 255); }}})) {}
  std::string class_name() const override { return "Picture"; }
  Tensor pixels() const { return pixels_; }

 private:
  Variable pixels_;
};

}  // namespace strata::examples
