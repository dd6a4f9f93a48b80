// SPDX-License-Identifier: Apache-2.0
// What is said to wrong calls of layers: the texts begin as TF 2.0's or Keras 3's do, and tell which input of which
// layer, what was expected and found, and the whole shape. Beside them stand the parts that Keras says, too.
#include <gtest/gtest.h>

#include "core/training/model.h"
#include "layers/layers.h"
#include "tests/support/keras_messages.h"

namespace strata {
namespace {

using testing::Message;

/// A layer of a user's own, as wrong as its parts.
class Custom : public Layer {
 public:
  explicit Custom(Dim units, InputSpec spec = {}) : Layer({.name = "l"}), units_(units) { set_input_spec({spec}); }
  std::string class_name() const override { return "Custom"; }
  Tensor call(const Tensor& x, CallContext&) override { return units_ == 0 ? Tensor() : x; }

 private:
  Dim units_;
};

Tensor fixed(const Shape& shape) { return Input({.batch_shape = shape}); }

const std::string kInput0 = "Input 0 of layer l is incompatible with the layer: ";
const std::string kConvolution = "`inputs shape=(None, 2, 2, 1)`, `kernel shape=(3, 3, 1, 2)`, `dilation_rate=[1 1]`, ";

std::vector<Message> calls() {
  return {
      {"rank",
       [] { layers::Conv2D(2, 3, {.name = "l"})(Input({784})); },
       kInput0 + ": expected min_ndim=4, found ndim=2. Full shape received: [None, 784]",
       {"Input 0 of layer l", "expected min_ndim=4, found ndim=2. Full shape received: (None, 784)"}},
      {"min_rank",
       [] { layers::Dense(2, {.name = "l"})(Input(Shape{})); },
       kInput0 + ": expected min_ndim=2, found ndim=1. Full shape received: [None]",
       {"Input 0 of layer l", "expected min_ndim=2, found ndim=1. Full shape received: (None)"}},
      {"axis",
       [] {
         const layers::Dense layer(2, {.name = "l"});
         layer(Input({784}));
         layer(Input({100}));
       },
       kInput0 + "expected axis -1 of input shape to have value 784 but received input with shape [None, 100]",
       {"of layer l", "expected axis -1 of input shape to have value 784", "received input with shape (None, 100)"}},
      {"shape",
       [] {
         const Tensor inputs = Input({2});
         Model(inputs, layers::Dense(1)(inputs), "l")(Input({3}));
       },
       "Input 0 is incompatible with layer l: expected shape=(None, 2), found shape=[None, 3]",
       {"expected shape=(None, 2), found shape=(None, 3)", "Input 0", "layer l"}},
      {"dtype",
       [] { make_layer<Custom>(1, InputSpec{.dtype = Dtype::float32})(Input({2}, {.dtype = Dtype::int32})); },
       kInput0 + "expected dtype=float32, found dtype=int32",
       {"Input 0 of layer l", "expected dtype=float32, found dtype="}},
      {"count",
       [] {
         const Tensor a = Input({2}, {.name = "a"}), b = Input({3}, {.name = "b"});
         Model({a, b}, {layers::concatenate({a, b})}, "l")(a);
       },
       "Layer l expects 2 inputs, but it received 1 input tensors. Inputs received: [Tensor(\"a:0\", shape=(None, 2), "
       "dtype=float32)]",
       {"Layer l expects 2", "but it received 1 input tensors."}},
      {"merge_not_list", [] { layers::Add()(Input({2})); }, "", {}},  // a tensor is a list of one
      {"merge_one", [] { layers::Add()({Input({2})}); }, "", {}},
      {"merge_nothing",
       [] { layers::Add()(std::vector<Tensor>()); },
       "Layer add expects inputs, but it received none.",
       {}},
      {"merge_shapes",
       [] {
         layers::add({Input({9, 9, 64}), Input({7, 7, 64})});
       },
       "Operands could not be broadcast together with shapes (9, 9, 64) (7, 7, 64). Received inputs of shapes [(None, "
       "9, 9, 64), (None, 7, 7, 64)] (layer: add)",
       {"(9, 9, 64)", "(7, 7, 64)"}},
      {"merge_batches",
       [] {
         layers::add({fixed({16, 2}), fixed({8, 2})});
       },
       "Can not merge tensors with different batch sizes. Got tensors with shapes : [(16, 2), (8, 2)] (layer: add)",
       {"merge tensors with different batch sizes.", "((16, 2), (8, 2))"}},
      {"concatenate",
       [] {
         layers::concatenate({Input({4, 2}), Input({5, 3})});
       },
       "A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Got inputs shapes: "
       "[(None, 4, 2), (None, 5, 3)] (layer: concatenate)",
       {"A Concatenate layer requires inputs with matching shapes except for the concat",
        "((None, 4, 2), (None, 5, 3))"}},
      {"subtract",
       [] {
         const Tensor x = Input({2});
         layers::subtract({x, x, x});
       },
       "A `Subtract` layer should be called on exactly 2 inputs. Received: input_shape=[(None, 2), (None, 2), (None, "
       "2)] (layer: subtract)",
       {"A Subtract layer should be called on exactly 2 inputs. Received: input_shape=((None, 2), (None, 2), (None, "
        "2))"}},
      {"call_returns_none",
       [] { make_layer<Custom>(0)(Input({2})); },
       "A layer's `call` method should return a Tensor or a list of Tensors, not None (layer: l).",
       {}},
      {"dense_last_dimension",
       [] { layers::Dense(2, {.name = "l"})(Input({None})); },
       "The last dimension of the inputs to `Dense` should be defined. Found `None`. Full input shape received: (None, "
       "None) (layer: l)",
       {"The last dimension of the inputs to", "Found None. Full input shape received: (None, None)"}},
      {"conv_channels",
       [] {
         layers::Conv2D(2, 3, {.name = "l"})(Input({8, 8, None}));
       },
       "The channel dimension of the inputs should be defined. Found `None`. Received input shape: (None, 8, 8, None) "
       "(layer: l)",
       {"The channel dimension of the inputs should be defined.", "(None, 8, 8, None)"}},
      {"conv_transpose_rank",
       [] { layers::Conv2DTranspose(2, 3, {.name = "l"})(Input({784})); },
       kInput0 + ": expected min_ndim=4, found ndim=2. Full shape received: [None, 784]",
       {"Input 0 of layer l", "expected min_ndim=4, found ndim=2. Full shape received: (None, 784)"}},
      {"negative_size",
       [] {
         layers::Conv2D(2, 3, {.name = "l"})(Input({2, 2, 1}));
       },
       "Computed output size would be zero or negative. Received " + kConvolution +
           "`strides=(1, 1)`, `padding=valid`. (layer: l)",
       {"Computed output size would be zero or negative. Received inputs shape=(None, 2, 2, 1)",
        "kernel shape=(3, 3, 1, 2), dilation_rate=(1 1), strides=(1, 1), padding=valid."}},
      {"pool_negative_size",
       [] {
         layers::MaxPooling2D(3, {.name = "l"})(Input({2, 2, 1}));
       },
       "Computed output size would be zero or negative. Received: `inputs.shape=[None 2 2 1]`, `pool_size=[3 3]`, "
       "`strides=(3, 3)`, `padding=valid`. (layer: l)",
       {"Computed output size would be zero or negative. Received: inputs.shape=(None 2 2 1), pool_size=(3 3), "
        "strides=(3, 3), padding=valid."}},
  };
}

class CallMessages : public ::testing::TestWithParam<Message> {};

TEST_P(CallMessages, BeginAsThoseOfKeras) { testing::expect_message("calls", GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, CallMessages, ::testing::ValuesIn(calls()), ::testing::PrintToStringParamName());

TEST(AllCallMessages, AreTried) { testing::expect_all_tried("calls", calls()); }

}  // namespace
}  // namespace strata
