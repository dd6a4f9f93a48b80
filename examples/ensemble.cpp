// SPDX-License-Identifier: Apache-2.0
// The guide's ensemble: one model that averages the predictions of three.
#include "common/example.h"

using namespace strata;

namespace {

Model get_model() {
  auto inputs = Input({128});
  auto outputs = layers::Dense(1)(inputs);
  return {inputs, outputs};
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run(argc, argv, "Averages three models.", {.needs_data = false}, [](auto& example) {
    const Model model1 = get_model(), model2 = get_model(), model3 = get_model();
    auto inputs = Input({128});
    auto outputs = layers::average({model1(inputs), model2(inputs), model3(inputs)});
    Model ensemble_model(inputs, outputs);
    example.summarize(ensemble_model);
    if (example.summary_only()) return;

    const Tensor x = ops::random_normal(examples::random_key(), {2, 128});
    const Tensor mean = (model1(x) + model2(x) + model3(x)) / 3.0;
    const double difference = ops::max(ops::abs(ensemble_model(x) - mean)).template item<float>();
    example.print(difference < 1e-6 ? "the mean of three" : "not the mean of three");
    example.report(ensemble_model);
  });
}
