// SPDX-License-Identifier: Apache-2.0
// The guide's ticket router: three inputs (title, body and tags of a ticket) and two outputs (its priority and the
// department that is to handle it), trained on random tickets.
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

/// Whole numbers from 0 to limit - 1.
Tensor random_integers(Dim columns, double limit) {
  return ops::floor(ops::random_uniform(examples::random_key(), {kTickets, columns}, 0.0, limit));
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run(
      argc, argv, "Trains the guide's model of tickets on random ones.",
      {.needs_data = false, .epochs = 2, .batch_size = 32}, [](auto& example) {
        Model model = ticket_router();
        example.summarize(model);
        if (example.summary_only()) return;

        model.compile({.optimizer = example.options().optimizer,
                       .loss = {{"priority", losses::BinaryCrossentropy({.from_logits = true})},
                                {"department", losses::CategoricalCrossentropy({.from_logits = true})}},
                       .loss_weights = {1.0, 0.2}});
        const Arrays tickets{random_integers(10, kWords), random_integers(100, kWords), random_integers(kTags, 2.0)};
        const Tensor priorities = ops::random_uniform(examples::random_key(), {kTickets, 1}, 0.0, 1.0, Dtype::float64);
        const Tensor departments = ops::cast(random_integers(kDepartments, 2.0), Dtype::int64);
        const auto history = model.fit(tickets, {priorities, departments}, example.fit_options());
        example.report(model, history, {});
      });
}
