// SPDX-License-Identifier: Apache-2.0
// A small transformer over the rows of MNIST images: one block of attention and feed-forward layers, with residual
// connections and learnt positions.
// Alone: transformer_rows --data DIR. On four ranks: mpirun -np 4 transformer_rows --data DIR.
#include "common/example.h"
#include "common/mnist.h"

using namespace strata;

namespace {

constexpr Dim kRows = 28, kWidth = 64;

/// x (batch, rows, width) plus a learnt vector for each position.
class AddPositions : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "AddPositions"; }
  void build(const Shape& input) override { positions_ = add_weight("positions", {input[1], input[2]}); }
  Tensor call(const Tensor& x, CallContext&) override { return x + positions_.value(); }

 private:
  Variable positions_;
};

Tensor transformer_block(const Tensor& x) {
  const Tensor attended = layers::MultiHeadAttention(4, kWidth / 4)({x, x});
  const Tensor y = layers::LayerNormalization()(layers::Add()({x, attended}));
  const Tensor wide = layers::Dense(2 * kWidth, {.activation = "relu"})(y);
  return layers::LayerNormalization()(layers::Add()({y, layers::Dense(kWidth)(wide)}));
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run(argc, argv, "Trains a small transformer over the rows of MNIST images.",
                       {.epochs = 3, .batch_size = 64, .optimizer = "adam"}, [](auto& example) {
                         auto inputs = Input({kRows, 28});
                         auto x = make_layer<AddPositions>()(layers::Dense(kWidth)(inputs));
                         x = transformer_block(x);
                         x = layers::GlobalAveragePooling1D()(x);
                         auto outputs = layers::Dense(10)(x);
                         Model model(inputs, outputs, "transformer_rows");
                         examples::train_on_mnist(example, model, {28, 28});
                       });
}
