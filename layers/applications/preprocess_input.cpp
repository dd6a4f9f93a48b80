// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/model/session.h"
#include "core/ops/ops.h"
#include "layers/applications/applications.h"
#include "layers/spatial.h"

namespace strata::applications {
namespace {

/// The images in a floating dtype.
Tensor checked(const Tensor& x, int channel_axis) {
  if (x.rank() != 3 && x.rank() != 4) {
    throw ShapeError("preprocess_input: expected an image of rank 3 or images of rank 4, received " + x.spec().str());
  }
  if (!dims_fit(x.shape()[x.rank() + channel_axis], 3)) {
    throw ShapeError("preprocess_input: expected 3 channels, received " + x.spec().str());
  }
  return is_floating(x.dtype()) ? x : ops::cast(x, Session::current().default_dtype());
}

int channel_axis(const std::string& data_format) { return DataFormat(data_format).channels_first() ? -3 : -1; }

}  // namespace

Tensor vgg16::preprocess_input(const Tensor& x, const std::string& data_format) {
  const int axis = channel_axis(data_format);
  const Tensor images = checked(x, axis);
  // The means of blue, green and red over ImageNet's training images.
  const Tensor means =
      ops::cast(constant({103.939, 116.779, 123.68}, axis == -1 ? Shape{3} : Shape{3, 1, 1}), images.dtype());
  return ops::flip(images, {axis}) - means;
}

Tensor mobilenet_v2::preprocess_input(const Tensor& x, const std::string& data_format) {
  return checked(x, channel_axis(data_format)) / 127.5 - 1.0;
}

}  // namespace strata::applications
