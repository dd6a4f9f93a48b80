// SPDX-License-Identifier: Apache-2.0
#include "layers/conv_lstm1d.h"

namespace strata {

layers::ConvLSTM1D::ConvLSTM1D(Dim filters, const Sizes& kernel_size, const ConvLSTMOptions& options)
    : RecurrentRef(make_conv_lstm(1, filters, kernel_size, options)) {}

void register_conv_lstm1d(LayerRegistry& registry) { registry.add(conv_lstm_entry(1)); }

}  // namespace strata
