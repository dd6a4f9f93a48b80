// SPDX-License-Identifier: Apache-2.0
#include "common/pictures.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>

namespace strata::examples {
namespace {

using Colour = std::array<float, 3>;

/// Row i is the mean of the pixels from i n / size to (i + 1) n / size.
Tensor averages(Dim size, Dim n) {
  const double step = static_cast<double>(n) / static_cast<double>(size);
  std::vector<float> weights;
  for (Dim i = 0; i < size; ++i) {
    for (Dim k = 0; k < n; ++k) {
      const double from = static_cast<double>(i) * step, pixel = static_cast<double>(k);
      const double common = std::min(from + step, pixel + 1) - std::max(from, pixel);
      weights.push_back(static_cast<float>(std::max(common, 0.0) / step));
    }
  }
  return constant(weights, {size, n});
}

/// `colour` of (x, y) between 0 and 1, from left to right and from top to bottom.
Tensor draw(Dim size, Colour (*colour)(float x, float y)) {
  std::vector<float> pixels;
  const auto middle = [&](Dim i) { return (static_cast<float>(i) + 0.5f) / static_cast<float>(size); };
  for (Dim y = 0; y < size; ++y) {
    for (Dim x = 0; x < size; ++x) {
      const Colour c = colour(middle(x), middle(y));
      pixels.insert(pixels.end(), c.begin(), c.end());
    }
  }
  return constant(pixels, {1, size, size, 3});
}

/// The file in red, green and blue, averaged to size x size pixels.
Tensor load_picture(const std::string& path, Dim size) {
  const Tensor picture = read_png(path, 3);
  const Tensor colours = ops::transpose(ops::cast(picture, Dtype::float32), {2, 0, 1});
  const Tensor rows = ops::matmul(averages(size, picture.shape()[0]), colours);
  const Tensor scaled = ops::matmul(rows, averages(size, picture.shape()[1]), false, true);
  return ops::expand_dims(ops::transpose(scaled, {1, 2, 0}), 0);
}

/// A hill before a setting sun.
Tensor draw_landscape(Dim size) {
  return draw(size, [](float x, float y) -> Colour {
    if (y > 0.85f) return {60, 110, 50};
    if (y > 0.3f + 1.2f * std::abs(x - 0.35f)) return {90, 75, 70};
    if (std::hypot(x - 0.7f, y - 0.4f) < 0.16f) return {250, 220, 90};
    return {90 + 120 * y, 140 + 40 * y, 220 - 60 * y};
  });
}

/// Waves of colour.
Tensor draw_waves(Dim size) {
  return draw(size, [](float x, float y) -> Colour {
    const float wave = std::sin(40 * (x + 0.6f * y) + 3 * std::sin(9 * y));
    if (wave > 0.4f) return {200, 40, 40};
    if (wave > -0.3f) return {240, 200, 60};
    return {30, 50, 140};
  });
}

}  // namespace

void PictureOptions::add_to(CLI::App& app) {
  app.add_option("--content", content, "Picture (.png) to paint; without it a drawn one");
  app.add_option("--style", style, "Picture (.png) in whose style; likewise");
  app.add_option("--output", output, "Where the new picture goes (.png)")->capture_default_str();
  app.add_option("--size", size, "Its height and width in pixels")->check(CLI::Range(16, 2048))->capture_default_str();
}

Tensor PictureOptions::content_picture() const {
  return content.empty() ? draw_landscape(size) : load_picture(content, size);
}

Tensor PictureOptions::style_picture() const { return style.empty() ? draw_waves(size) : load_picture(style, size); }

Tensor variation(const Tensor& image) {
  const Dim height = image.shape()[1], width = image.shape()[2];
  const auto part = [&](Dim y, Dim x) {
    return ops::slice(image, {0, y, x, 0}, {1, y + height - 1, x + width - 1, 3});
  };
  return ops::mean(ops::square(part(1, 0) - part(0, 0)) + ops::square(part(0, 1) - part(0, 0)));
}

void save_picture(const std::string& path, const Tensor& picture) {
  if (Session::current().communicator().rank() != 0) return;
  write_png(path, ops::cast(ops::round(ops::squeeze(picture, {0})), Dtype::uint8));
}

}  // namespace strata::examples
