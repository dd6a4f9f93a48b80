// SPDX-License-Identifier: Apache-2.0
#include <png.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/base/error.h"
#include "core/tensor/host_copy.h"
#include "io/png.h"

namespace strata {
namespace {

constexpr png_uint_32 kFormats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};

void check_picture(const TensorSpec& spec) {
  if (spec.dtype != Dtype::uint8) throw DtypeError("write_png: expected uint8, received " + spec.str());
  const bool picture = spec.shape.rank() == 3 && spec.shape.is_known() && spec.shape.elements() > 0;
  if (!picture || spec.shape[2] > 4) {
    throw ShapeError("write_png: expected (height, width, channels) with 1 to 4 channels, received " + spec.str());
  }
  if (spec.shape[0] > PNG_USER_HEIGHT_MAX || spec.shape[1] > PNG_USER_WIDTH_MAX) {
    throw ShapeError("write_png: expected at most 1000000 pixels in a row or column, received " + spec.str());
  }
}

}  // namespace

void write_png(const std::string& path, const Tensor& picture) {
  check_picture(picture.spec());
  const std::string bytes = host_copy(picture.eval(), picture.spec().bytes());
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(picture.shape()[0]);
  image.width = static_cast<png_uint_32>(picture.shape()[1]);
  image.format = kFormats[picture.shape()[2] - 1];
  const std::string temporary = path + ".part" + std::to_string(getpid());
  if (png_image_write_to_file(&image, temporary.c_str(), 0, bytes.data(), 0, nullptr) == 0) {
    throw IoError(path, std::string("cannot be written: ") + image.message);
  }
  if (std::rename(temporary.c_str(), path.c_str()) == 0) return;
  const std::string why = std::strerror(errno);
  std::remove(temporary.c_str());
  throw IoError(path, "cannot be written: " + why);
}

}  // namespace strata
