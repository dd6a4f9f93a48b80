// SPDX-License-Identifier: Apache-2.0
#include "layers/conv_lstm2d.h"

namespace strata {

layers::ConvLSTM2D::ConvLSTM2D(Dim filters, const Sizes& kernel_size, const ConvLSTMOptions& options)
    : RecurrentRef(make_conv_lstm(2, filters, kernel_size, options)) {}

void register_conv_lstm2d(LayerRegistry& registry) { registry.add(conv_lstm_entry(2)); }

}  // namespace strata
