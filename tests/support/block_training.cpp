// SPDX-License-Identifier: Apache-2.0
#include "tests/support/block_training.h"

#include "strata/strata.h"

namespace strata::testing {
namespace {

constexpr Dim kSteps = 6;
constexpr Dim kWords = 11;
constexpr Dim kClasses = 4;

/// Subtracts from each feature its mean over all time steps of all samples of the batch, and the share that the blocks
/// themselves take in it is differentiated as well.
class GlobalCentering final : public Layer {
 public:
  GlobalCentering() { set_supports_masking(); }
  std::string class_name() const override { return "GlobalCentering"; }
  Tensor call(const Tensor& input, CallContext&) override {
    const Tensor count = ops::cast(ops::sum(ops::ones_like(input), {0, 1}), Dtype::float64);
    const Tensor mean = ops::block_sum(ops::sum(input, {0, 1})) / ops::cast(ops::block_sum(count), input.dtype());
    return input - mean;
  }
};

}  // namespace

Model block_sum_model() {
  clear_session();
  auto input = Input({kSteps}, {.dtype = Dtype::int32});
  Tensor x = layers::Embedding(kWords, 5, {.mask_zero = true})(input);
  x = layers::Dense(7, {.activation = "tanh"})(make_layer<GlobalCentering>()(x));
  x = layers::Dense(5, {.activation = "tanh"})(make_layer<GlobalCentering>()(x));
  return Model(input, layers::Dense(kClasses)(x), "centered");
}

/// Sample s has (3 s) mod 7 time steps that count, the others are 0.
Tensor masked_words(Dim samples) {
  std::vector<std::int32_t> ids;
  for (Dim s = 0; s < samples; ++s) {
    for (Dim t = 0; t < kSteps; ++t) {
      ids.push_back(t < 3 * s % 7 ? static_cast<std::int32_t>(1 + (5 * s + 3 * t) % (kWords - 1)) : 0);
    }
  }
  return constant(ids, {samples, kSteps});
}

Tensor word_classes(Dim samples) {
  std::vector<std::int64_t> labels;
  for (Dim i = 0; i < samples * kSteps; ++i) labels.push_back(i * i % kClasses);
  return constant(labels, {samples, kSteps});
}

BlockTraining train_with_block_sums(Communicator& communicator, const std::vector<Dim>& batches,
                                    const EngineOptions& options) {
  Model model = block_sum_model();
  const Objective objective =
      make_objective({"output"}, losses::SparseCategoricalCrossentropy({.from_logits = true}), {}, {"accuracy"}, {});
  FlatState state(model.layer().trainable_weights(), {}, {}, cpu_device());
  const Optimizer descent = optimizers::SGD({.learning_rate = 0.5});
  state.create_slots(descent);
  state.adopt();
  const DataSpecs specs{{{{kSteps}, Dtype::int32}}, {{{kSteps}, Dtype::int64}}, {}};
  StepEngine engine(StepKind::train, std::static_pointer_cast<Functional>(model.shared()), objective, specs, state,
                    communicator, options);
  BlockTraining result;
  for (std::size_t step = 0; step < batches.size(); ++step) {
    const std::vector<HostArray> arrays{HostArray(masked_words(batches[step])), HostArray(word_classes(batches[step]))};
    const auto number = static_cast<std::int64_t>(step);
    engine.run({arrays, nullptr, 0, batches[step], 0, number, 0}, &descent, number);
    result.sums.insert(result.sums.end(), engine.sums().begin(), engine.sums().end());
  }
  for (const Variable& weight : model.weights()) {
    const auto values = weight.value().to_vector<float>();
    result.weights.insert(result.weights.end(), values.begin(), values.end());
  }
  return result;
}

}  // namespace strata::testing
