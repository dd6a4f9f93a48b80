// SPDX-License-Identifier: Apache-2.0
#include "layers/conv_lstm.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/convolution.h"
#include "layers/convolution_base.h"
#include "layers/gate_math.h"
#include "layers/kernel_cell.h"
#include "layers/recurrent_layer.h"

namespace strata {
namespace {

struct ConvLSTMSizes {
  std::vector<Dim> kernel_size, strides, dilation_rate;
  std::string padding;
  DataFormat data_format;
};

ConvLSTMSizes checked_sizes(int rank, const Sizes& kernel_size, const layers::ConvLSTMOptions& o) {
  ConvLSTMSizes sizes{.kernel_size = kernel_size.expanded(rank, "kernel_size"),
                      .strides = o.strides.expanded(rank, "strides"),
                      .dilation_rate = o.dilation_rate.expanded(rank, "dilation_rate"),
                      .padding = padding_mode(o.padding, false),
                      .data_format = DataFormat(o.data_format)};
  const auto largest = [](const std::vector<Dim>& values) { return *std::max_element(values.begin(), values.end()); };
  if (largest(sizes.strides) > 1 && largest(sizes.dilation_rate) > 1) {
    throw ConfigError(
        "Specifying `strides > 1` is not compatible with `dilation_rate > 1`. Please provide `strides=1` or "
        "`dilation_rate=1`. Received: strides=" +
        tuple_text(sizes.strides) + " and dilation_rate=" + tuple_text(sizes.dilation_rate));
  }
  return sizes;
}

/// One step of a convolutional LSTM. Products have their channels last, states are in the caller's order of axes.
class ConvLSTMCell final : public KernelCell {
 public:
  ConvLSTMCell(ConvLSTMSizes sizes, KernelCellArguments arguments, bool unit_forget_bias, const LayerOptions& layer)
      : KernelCell(std::move(arguments), 4, layer), sizes_(std::move(sizes)), unit_forget_bias_(unit_forget_bias) {
    check_filters(units());
  }

  std::string class_name() const override { return "ConvLSTMCell"; }
  Config config() const override { return KernelCell::config().set("unit_forget_bias", unit_forget_bias_); }
  std::vector<Shape> state_size() const override { return {state_, state_}; }

  CellStep step(const Tensor& projected, const std::vector<Tensor>& states, const SequenceConstants& constants,
                CallContext&) override {
    const DataFormat& format = sizes_.data_format;
    return lstm_step(format.from_channels_last(projected),
                     format.from_channels_last(recurrent_product(states[0], constants)), states[1],
                     arguments().activation, *arguments().recurrent_activation, format.channel_axis(projected.rank()));
  }

 protected:
  Config size_config() const override {
    return Config::object({{"filters", units()},
                           {"kernel_size", tuple_config(sizes_.kernel_size)},
                           {"strides", tuple_config(sizes_.strides)},
                           {"padding", sizes_.padding},
                           {"data_format", sizes_.data_format.name()},
                           {"dilation_rate", tuple_config(sizes_.dilation_rate)}});
  }

  Dim checked_features(const Shape& input) override {
    const std::vector<Dim> spatial = sizes_.data_format.spatial(input);
    if (std::find(spatial.begin(), spatial.end(), None) != spatial.end()) {
      throw ShapeError(
          "ConvLSTM layers only support static input shapes for the spatial dimension. Received invalid input shape: "
          "input_shape=" +
          input.str());
    }
    const Dim channels = input[sizes_.data_format.channel_axis(input.rank())];
    if (channels == None) {
      throw ShapeError(
          "The channel dimension of the inputs (last axis) should be defined. Found None. Full input shape received: "
          "input_shape=" +
          input.str());
    }
    set_state_shape(input, spatial, kernel_shape(channels, 4 * units()));
    return channels;
  }

  Shape kernel_shape(Dim features, Dim columns) const override {
    return Shape(sizes_.kernel_size).concat({features, columns});
  }
  Initializer bias_initializer() const override {
    return unit_forget_bias_ ? ones_for_forget_gate(arguments().bias_initializer) : arguments().bias_initializer;
  }
  Dim masks() const override { return 4; }

  /// Leading axes before the batch are folded into it.
  Tensor input_product(const Tensor& x, const Tensor& kernel) const override {
    const int sample = static_cast<int>(sizes_.kernel_size.size()) + 1;
    const Shape leading = x.shape().slice(0, x.rank() - sample);
    const Tensor folded = ops::reshape(x, Shape{None}.concat(x.shape().slice(x.rank() - sample, x.rank())));
    const Tensor last = sizes_.data_format.to_channels_last(folded);
    const Tensor y = ops::convolution(last, kernel, window(sizes_.data_format.spatial(folded.shape())));
    return ops::reshape(y, leading.concat(y.shape().slice(1, y.rank())));
  }

  Tensor state_product(const Tensor& h, const Tensor& kernel) const override {
    const std::vector<Dim> ones(sizes_.kernel_size.size(), 1);
    const Window same = padded_window(sizes_.kernel_size, ones, ones, "same", sizes_.data_format.spatial(h.shape()));
    return ops::convolution(sizes_.data_format.to_channels_last(h), kernel, same);
  }

 private:
  Window window(const std::vector<Dim>& spatial) const {
    return padded_window(sizes_.kernel_size, sizes_.strides, sizes_.dilation_rate, sizes_.padding, spatial);
  }

  /// What is left of the spatial axes after the input's convolution, and the filters.
  void set_state_shape(const Shape& input, const std::vector<Dim>& spatial, const Shape& kernel) {
    const Window over = window(spatial);
    std::vector<Dim> state;
    for (std::size_t i = 0; i < over.size(); ++i) state.push_back(over[i].positions(spatial[i]));
    if (std::find(state.begin(), state.end(), 0) != state.end()) {
      throw ShapeError("Computed output size would be zero or negative. Received `inputs shape=" + input.str() +
                       "`, `kernel shape=" + kernel.str() + "`, `dilation_rate=" + array_text(sizes_.dilation_rate) +
                       "`, `strides=" + tuple_text(sizes_.strides) + "`, `padding=" + sizes_.padding + "`.");
    }
    state.insert(sizes_.data_format.channels_first() ? state.begin() : state.end(), units());
    state_ = Shape(state);
    set_input_spec({{.axes = axes_of(input)}, {}});
  }

  static std::map<int, Dim> axes_of(const Shape& input) {
    std::map<int, Dim> axes;
    for (int axis = 1; axis < input.rank(); ++axis) axes[axis] = input[axis];
    return axes;
  }

  ConvLSTMSizes sizes_;
  bool unit_forget_bias_;
  Shape state_;  // of one sample; known once built
};

LayerRef from_config(int rank, const Config& config) {
  const LayerConfig arguments(
      "ConvLSTM" + std::to_string(rank) + "D", config,
      recurrent_arguments(cell_arguments({"filters", "kernel_size", "strides", "padding", "data_format",
                                          "dilation_rate", "recurrent_activation", "unit_forget_bias"})));
  layers::ConvLSTMOptions options;
  if (arguments.has("strides")) options.strides = Sizes::from_config(arguments.get("strides"));
  if (arguments.has("dilation_rate")) options.dilation_rate = Sizes::from_config(arguments.get("dilation_rate"));
  options.padding = arguments.text("padding", "valid");
  options.data_format = arguments.text("data_format", "");
  options.unit_forget_bias = arguments.flag("unit_forget_bias", true);
  read_cell_arguments(arguments, options);
  read_recurrent_arguments(arguments, options);
  return make_conv_lstm(rank, arguments.integer("filters"), Sizes::from_config(arguments.get("kernel_size")), options);
}

}  // namespace

std::shared_ptr<Layer> make_conv_lstm(int rank, Dim filters, const Sizes& kernel_size,
                                      const layers::ConvLSTMOptions& o) {
  const LayerRef cell =
      make_layer<ConvLSTMCell>(checked_sizes(rank, kernel_size, o), kernel_cell_arguments(filters, o),
                               o.unit_forget_bias, LayerOptions{"conv_lstm_cell", o.trainable, o.dtype});
  return make_named_recurrent("ConvLSTM" + std::to_string(rank) + "D", cell, o, rank + 3);
}

LayerEntry conv_lstm_entry(int rank) {
  const Shape sample({5, 4, 3});
  const auto example = [&](std::string label, layers::ConvLSTMOptions options, const Shape& features) {
    options.name = "conv_lstm";
    const auto make = [=](Dtype dtype) {
      layers::ConvLSTMOptions own = options;
      own.dtype = dtype;
      return LayerRef(make_conv_lstm(rank, 2, 2, own));
    };
    return LayerExample{std::move(label), make, {Shape{2, 3}.concat(features)}};
  };
  const Shape last = sample.slice(0, rank).concat({2}), first = Shape{2}.concat(sample.slice(0, rank));
  return {"ConvLSTM" + std::to_string(rank) + "D",
          [rank](const Config& config) { return from_config(rank, config); },
          {example("last output", {}, last),
           example("same, strided, sequences",
                   {.strides = 2, .padding = "same", .return_sequences = true, .return_state = true}, last),
           example("channels first, dropout, backwards",
                   {.padding = "same",
                    .data_format = "channels_first",
                    .use_bias = false,
                    .dropout = 0.3,
                    .recurrent_dropout = 0.2,
                    .return_sequences = true,
                    .go_backwards = true},
                   first)}};
}

}  // namespace strata
