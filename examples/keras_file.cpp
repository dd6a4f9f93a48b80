// SPDX-License-Identifier: Apache-2.0
// Opens a model file that Keras or Strata wrote, predicts, and on request trains and saves, so that a Python user can
// compare:   keras_file --model m.h5 --input x.npz --output y.npz [--train-steps 10 --save trained.h5]
// x.npz holds one array an input, under its name ("x" where there is one), and for training one an output, under its
// name or "y". y.npz gets the predictions under the outputs' names, made after the training, and the steps' "losses".
#include <strata/strata.h>

#include <CLI/CLI.hpp>
#include <cstdio>

using namespace strata;

namespace {

struct Options {
  std::string model, weights, input, output, dialect = "keras3";
  std::vector<std::string> save;
  int train_steps = 0;
};

/// The arrays called `names`, or the only one by its short name.
std::vector<Tensor> pick(const std::map<std::string, Tensor>& arrays, const std::vector<std::string>& names,
                         const std::string& short_name, const std::string& path) {
  std::vector<Tensor> picked;
  for (const std::string& name : names) {
    auto found = arrays.find(name);
    if (found == arrays.end() && names.size() == 1) found = arrays.find(short_name);
    if (found == arrays.end()) throw IoError(path, "expected an array \"" + name + "\"");
    picked.push_back(found->second);
  }
  return picked;
}

void run(const Options& options) {
  Model model = load_model(options.model);
  if (!options.weights.empty()) model.load_weights(options.weights);
  model.summary();
  const bool speaks = Session::current().communicator().rank() == 0;
  const auto arrays = read_npz(options.input);
  const auto x = pick(arrays, model.graph().input_names(), "x", options.input);
  const auto outputs = model.graph().output_names();
  std::vector<double> losses;
  if (options.train_steps > 0) {
    const auto y = pick(arrays, outputs, "y", options.input);
    for (int step = 0; step < options.train_steps; ++step) {
      losses.push_back(model.train_on_batch(x, y)[0]);
      if (speaks) std::printf("step %d - loss: %.6f\n", step + 1, losses.back());
    }
  }
  const std::vector<Tensor> predictions = model.predict_all(x);
  std::vector<std::pair<std::string, Tensor>> results;
  for (std::size_t i = 0; i < predictions.size(); ++i) results.emplace_back(outputs[i], predictions[i]);
  if (!losses.empty()) results.emplace_back("losses", constant(losses, {static_cast<Dim>(losses.size())}));
  if (speaks) write_npz(options.output, results);
  const auto dialect = options.dialect == "keras2" ? ConfigDialect::keras2 : ConfigDialect::keras3;
  for (const std::string& path : options.save) {
    if (path.ends_with(".weights.h5")) model.save_weights(path);
    else model.save(path, {.dialect = dialect});
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Predicts with a Keras model file, and trains it.");
  app.add_option("--model", options.model, "Model file (.h5)")->required();
  app.add_option("--weights", options.weights, "Other weights for it (.weights.h5, or .h5 of weights alone)");
  app.add_option("--input", options.input, "Arrays of the inputs, and of the targets for training (.npz)")->required();
  app.add_option("--output", options.output, "Where the predictions go (.npz)")->required();
  app.add_option("--train-steps", options.train_steps, "Training steps on the whole input, before predicting");
  app.add_option("--save", options.save, "Where the trained model goes (.h5), or its weights alone (.weights.h5)");
  app.add_option("--dialect", options.dialect, "For whom it is saved: keras3, or keras2 for tf.keras")
      ->check(CLI::IsMember({"keras3", "keras2"}));
  CLI11_PARSE(app, argc, argv);
  try {
    run(options);
    shutdown_world(false);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  shutdown_world(true);
  return 1;
}
