// SPDX-License-Identifier: Apache-2.0
// The guide's custom layer: CustomDense in a model, and the model of equal shape made from its config.
#include "common/example.h"

using namespace strata;

class CustomDense : public Layer {
 public:
  explicit CustomDense(Dim units = 32) : units_(units) {}
  std::string class_name() const override { return "CustomDense"; }
  void build(const Shape& input) override {
    w_ = add_weight("w", {input.back(), units_}, {.initializer = "random_normal"});
    b_ = add_weight("b", {units_}, {.initializer = "random_normal"});
  }
  Tensor call(const Tensor& inputs, CallContext&) override { return ops::matmul(inputs, w_) + b_; }
  Config config() const override { return Config::object({{"units", units_}}); }

 private:
  Dim units_;
  Variable w_, b_;
};

int main(int argc, char** argv) {
  return examples::run(
      argc, argv, "Makes a layer, saves what describes it, and makes it again.", {.needs_data = false},
      [](examples::Example& example) {
        auto inputs = Input({4});
        auto outputs = make_layer<CustomDense>(10)(inputs);
        Model model(inputs, outputs);
        example.present(model);
        if (example.summary_only()) return;
        const Config config = model.get_config();
        example.print(config.to_json());

        const Config entry = config.at("layers").as_list().at(1);
        const auto remake = [&] { return deserialize_layer(entry); };
        try {
          remake();
        } catch (const ConfigError& error) {
          example.print(error.what());
        }
        register_layer("CustomDense", [](const Config& c) { return make_layer<CustomDense>(c.at("units").as_int()); });
        const LayerRef again = remake();
        example.print(again(Input({4})).shape().str());
        again.set_weights(model.get_weights());
        const Tensor x = constant({1.f, 2.f, 3.f, 4.f}, {1, 4});
        const bool equal = again(x).to_vector<float>() == model(x).to_vector<float>();
        example.print(equal ? "equal outputs" : "other outputs");
        example.report(model);
      });
}
