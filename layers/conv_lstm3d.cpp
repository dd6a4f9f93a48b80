// SPDX-License-Identifier: Apache-2.0
#include "layers/conv_lstm3d.h"

namespace strata {

layers::ConvLSTM3D::ConvLSTM3D(Dim filters, const Sizes& kernel_size, const ConvLSTMOptions& options)
    : RecurrentRef(make_conv_lstm(3, filters, kernel_size, options)) {}

void register_conv_lstm3d(LayerRegistry& registry) { registry.add(conv_lstm_entry(3)); }

}  // namespace strata
