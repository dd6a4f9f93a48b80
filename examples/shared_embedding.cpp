// SPDX-License-Identifier: Apache-2.0
// The guide's shared layer: one embedding of 1,000 words in 128 numbers for two texts.
#include "common/example.h"

using namespace strata;

int main(int argc, char** argv) {
  return examples::run(argc, argv, "Shares an embedding between two inputs.", {.needs_data = false}, [](auto& example) {
    const layers::Embedding shared_embedding(1000, 128);
    auto text_input_a = Input({None}, {.dtype = Dtype::int32});
    auto text_input_b = Input({None}, {.dtype = Dtype::int32});
    auto encoded_input_a = shared_embedding(text_input_a);
    auto encoded_input_b = shared_embedding(text_input_b);
    const Model model({text_input_a, text_input_b}, {encoded_input_a, encoded_input_b});
    example.summarize(model);
    if (example.summary_only()) return;

    example.print(std::to_string(shared_embedding.weights().size()) + " weight of shape " +
                  shared_embedding.weights()[0].shape().str());
    const bool first = shared_embedding.output().same_as(encoded_input_a);
    example.print(first ? "layer.output is that of the first call" : "layer.output is another");
    const bool differ = !shared_embedding.get_output_at(0).same_as(shared_embedding.get_output_at(1));
    example.print(differ ? "two outputs" : "one output");
    try {
      shared_embedding.get_output_at(2);
    } catch (const ConfigError& error) {
      example.print(error.what());
    }
    example.report(model);
  });
}
