// SPDX-License-Identifier: Apache-2.0
// Pictures for examples: read, drawn, written.
#pragma once

#include "common/example.h"

namespace strata::examples {

/// The options of programs that make a picture of two, and those: float32 (1, size, size, 3) from 0 to 255, drawn where
/// no file is given.
struct PictureOptions {
  std::string content = {};  // PNG files
  std::string style = {};
  std::string output = "out.png";
  Dim size = 128;

  void add_to(CLI::App& app);
  Tensor content_picture() const;
  Tensor style_picture() const;
};

/// How rough it is: the mean squared difference of pixels and their neighbours below and beside.
Tensor variation(const Tensor& image);
/// Writes such a picture as a PNG file, on rank 0.
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
