// SPDX-License-Identifier: Apache-2.0
// The guide's ticket router: three inputs (title, body and tags of a ticket) and two outputs (its priority and the
// department that is to handle it). Trained on random tickets as in the guide, or with --rule on tickets from which
// both can be told; losses and data by position or by name, or as a dataset.
#include <CLI/CLI.hpp>

#include "common/example.h"

using namespace strata;

namespace {

constexpr Dim kTags = 12, kWords = 10000, kDepartments = 4, kTickets = 1280;

Model ticket_router() {
  auto title_input = Input({None}, {.name = "title"});
  auto body_input = Input({None}, {.name = "body"});
  auto tags_input = Input({kTags}, {.name = "tags"});

  auto title_features = layers::LSTM(128)(layers::Embedding(kWords, 64)(title_input));
  auto body_features = layers::LSTM(32)(layers::Embedding(kWords, 64)(body_input));

  auto x = layers::concatenate({title_features, body_features, tags_input});
  auto priority_pred = layers::Dense(1, {.name = "priority"})(x);
  auto department_pred = layers::Dense(kDepartments, {.name = "department"})(x);
  return {{title_input, body_input, tags_input}, {priority_pred, department_pred}};
}

struct Tickets {
  Tensor title, body, tags, priority, department;

  Arrays x() const { return {{"title", title}, {"body", body}, {"tags", tags}}; }
  Arrays y() const { return {{"priority", priority}, {"department", department}}; }
};

/// Whole numbers from 0 to limit - 1.
Tensor random_integers(Dim columns, Dim limit) {
  return ops::floor(ops::random_uniform(examples::random_key(), {kTickets, columns}, 0.0, static_cast<double>(limit)));
}

Tickets random_tickets(Dim words = kWords) {
  return {.title = random_integers(10, words),
          .body = random_integers(100, words),
          .tags = random_integers(kTags, 2),
          .priority = ops::random_uniform(examples::random_key(), {kTickets, 1}, 0.0, 1.0, Dtype::float64),
          .department = ops::cast(random_integers(kDepartments, 2), Dtype::int64)};
}

/// Somewhere in the title stands a word of the department's, one for what can wait and another for what is urgent. The
/// other words are few enough to be seen to mean nothing.
Tickets ruled_tickets() {
  Tickets tickets = random_tickets(100);
  const Tensor department = random_integers(1, kDepartments), place = random_integers(1, 10);
  tickets.priority = random_integers(1, 2);
  tickets.department = to_categorical(department, kDepartments);
  const Tensor word = department + tickets.priority * static_cast<double>(kDepartments);
  const Tensor others = ops::maximum(tickets.title, ops::full({1, 1}, 2.0 * kDepartments));
  tickets.title = ops::select(ops::equal(ops::iota({kTickets, 10}, 1, Dtype::float32), place), word, others);
  return tickets;
}

}  // namespace

int main(int argc, char** argv) {
  bool rule = false;
  std::string data_as = "names";
  const auto train = [&](examples::Example& example) {
    Model model = ticket_router();
    example.summarize(model);
    if (example.summary_only()) return;

    const Loss priority_loss = losses::BinaryCrossentropy({.from_logits = true});
    const Loss department_loss = losses::CategoricalCrossentropy({.from_logits = true});
    CompileOptions compile{.optimizer = example.optimizer(),
                           .loss_weights = {1.0, 0.2},
                           .shard_optimizer = example.options().shard_optimizer};
    if (data_as == "list") compile.loss = {priority_loss, department_loss};
    else compile.loss = {{"priority", priority_loss}, {"department", department_loss}};
    if (rule) compile.metrics = {"accuracy"};
    model.compile(compile);

    const Tickets tickets = rule ? ruled_tickets() : random_tickets();
    const auto fit = example.fit_options();
    History history;
    if (data_as == "list") {
      history = model.fit({tickets.title, tickets.body, tickets.tags}, {tickets.priority, tickets.department}, fit);
    } else if (data_as == "names") {
      history = model.fit(tickets.x(), tickets.y(), fit);
    } else {
      history = model.fit(Dataset::from_tensor_slices(tickets.x(), tickets.y()).shuffle().batch(fit.batch_size), fit);
    }

    Logs scores;
    if (rule) {
      const Tickets others = ruled_tickets();
      const auto values = model.evaluate(others.x(), others.y(), example.evaluate_options(2));
      for (std::size_t i = 0; i < values.size(); ++i)
        scores.emplace_back("test_" + model.metrics_names()[i], values[i]);
    }
    example.report(model, history, scores);
  };
  const auto own_options = [&](CLI::App& app) {
    app.add_flag("--rule", rule, "Tickets from which priority and department can be told");
    app.add_option("--data-as", data_as, "How losses and data are given: list, names or dataset")
        ->check(CLI::IsMember({"list", "names", "dataset"}))
        ->capture_default_str();
  };
  return examples::run(argc, argv, "Trains the guide's model of tickets.",
                       {.needs_data = false, .epochs = 2, .batch_size = 32, .own_options = own_options}, train);
}
