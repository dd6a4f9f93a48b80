// SPDX-License-Identifier: Apache-2.0
// What the guide says no functional model can be: a network over trees, which recurses on its data. It learns the value
// of expressions such as ((1 and 0) or 1), in a training loop of its own.
#include <random>

#include "common/example.h"

using namespace strata;

/// A number 0 or 1, or "or" (0) or "and" (1) of two trees.
struct Tree {
  int symbol = 0;
  std::unique_ptr<Tree> left, right;
};

std::unique_ptr<Tree> random_tree(std::mt19937& random, int depth) {
  auto tree = std::make_unique<Tree>(Tree{static_cast<int>(random() % 2), nullptr, nullptr});
  if (depth == 0 || random() % 4 == 0) return tree;
  tree->left = random_tree(random, depth - 1);
  tree->right = random_tree(random, depth - 1);
  return tree;
}

bool value(const Tree& tree) {
  if (!tree.left) return tree.symbol == 1;
  return tree.symbol == 1 ? value(*tree.left) && value(*tree.right) : value(*tree.left) || value(*tree.right);
}

class TreeRNN : public SubclassedModel {
 public:
  std::string class_name() const override { return "TreeRNN"; }
  /// The logit of a tree being true, (1, 1).
  Tensor logit(const Tree& tree) const { return classifier_(state(tree)); }

 private:
  /// (1, 8).
  Tensor state(const Tree& tree) const {
    if (!tree.left) return leaf_(constant({tree.symbol == 1 ? 1.f : -1.f}, {1, 1}));
    const Tensor both = ops::concatenate({state(*tree.left), state(*tree.right)});
    return tree.symbol == 1 ? and_(both) : or_(both);
  }

  LayerRef leaf_ = track(layers::Dense(8, {.activation = "tanh"}));
  LayerRef and_ = track(layers::Dense(8, {.activation = "tanh"}));
  LayerRef or_ = track(layers::Dense(8, {.activation = "tanh"}));
  LayerRef classifier_ = track(layers::Dense(1));
};

int main(int argc, char** argv) {
  return examples::run(
      argc, argv, "Learns the values of logical expressions. An epoch has 100 steps.",
      {.needs_data = false, .epochs = 1, .batch_size = 16, .optimizer = "adam"}, [](examples::Example& example) {
        const auto& options = example.options();
        auto model = make_model<TreeRNN>();
        example.present(model);
        if (example.summary_only()) return;
        Optimizer optimizer = example.optimizer();
        optimizer.set_learning_rate(0.02);
        const Loss loss_function = losses::BinaryCrossentropy({.from_logits = true});
        std::mt19937 random(static_cast<unsigned>(options.seed) + 1);
        const auto batch_loss = [&] {
          std::vector<Tensor> logits;
          std::vector<float> targets;
          for (Dim i = 0; i < options.batch_size; ++i) {
            const auto tree = random_tree(random, 4);
            logits.push_back(model->logit(*tree));
            targets.push_back(value(*tree) ? 1.f : 0.f);
          }
          return loss_function(constant(targets, {options.batch_size, 1}), ops::concatenate(logits, 0));
        };
        const History history = example.loop(100, 25, [&](Dim) {
          const auto [loss, gradients] = value_and_gradients(model, batch_loss);
          optimizer.apply_gradients(gradients, model);
          return loss;
        });
        int right = 0;
        for (int i = 0; i < 200; ++i) {
          const auto tree = random_tree(random, 6);  // deeper than those it was trained on
          right += (model->logit(*tree).to_vector<float>()[0] > 0) == value(*tree) ? 1 : 0;
        }
        example.print("right: " + std::to_string(right) + " of 200");
        try {
          model.get_config();
        } catch (const ConfigError& error) {
          example.print(error.what());
        }
        example.report(model, history, {{"right", right / 200.0}});
      });
}
