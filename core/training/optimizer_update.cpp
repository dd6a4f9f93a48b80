// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer_update.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/ops/ops.h"
#include "core/training/optimizer_shares.h"

namespace strata {

OptimizerUpdate::OptimizerUpdate(const Optimizer& optimizer, FlatState& state, int threads, bool finite_only)
    : state_(state), compiler_(optimizer, state.device()), threads_(threads), finite_only_(finite_only) {
  Device& device = state_.device();
  const OptimizerOptions& options = optimizer.options();
  always_changes_ = options.use_ema && options.ema_overwrite_frequency;
  for (const FlatSet& set : state_.trainable()) {
    variables_ += set.layout.variables.size();
    numbers_.push_back(std::make_unique<UpdateNumbers>(device, set.layout.dtype, optimizer->scalars().size()));
    for (const WeightRule& rule : set.rules) always_changes_ = always_changes_ || rule.constraint;
  }
  squares_ = std::make_shared<Storage>(device, (3 * variables_ + 1) * sizeof(double));
  prepare_gathers();
  if (!clips_globally() && !checks()) return;
  const auto stream = device.make_stream();
  device.zero(squares_->data(), squares_->bytes(), *stream);  // nobody sums those of a variable without elements
  stream->synchronize();
  const DeviceScope scope(device);
  const Tensor squares = placeholder({{static_cast<Dim>(variables_)}, Dtype::float64}, "squares");
  sum_ = std::make_unique<RunState>(Program::compile({squares}, {ops::sum(squares)}, device));
  auto* data = reinterpret_cast<double*>(squares_->data());
  sum_->bind_input(0, data);
  sum_->bind_output(0, data + 3 * variables_);
}

/// The place of the set's first variable among all.
std::size_t OptimizerUpdate::first_variable(const FlatSet& set) const {
  std::size_t first = 0;
  for (const FlatSet* other = state_.trainable().data(); other != &set; ++other) {
    first += other->layout.variables.size();
  }
  return first;
}

UpdateSquares OptimizerUpdate::squares_of(const FlatSet& set) const {
  auto* data = reinterpret_cast<double*>(squares_->data());
  const std::size_t first = first_variable(set);
  return {data + first, data + variables_ + first, data + 2 * variables_ + first, data + 3 * variables_};
}

const UpdateNumbers& OptimizerUpdate::numbers_of(const FlatSet& set) const {
  return *numbers_[static_cast<std::size_t>(&set - state_.trainable().data())];
}

void OptimizerUpdate::set_bucket(Part& part, const FlatSet& set, IndexRange elements, void* gradient,
                                 const std::string& name) {
  part.bucket = std::make_unique<BucketUpdate>(compiler_, set, elements.first, elements.size(), gradient,
                                               squares_of(set), numbers_of(set), threads_, checks());
  Communicator* ranks = state_.shared_by();
  if (ranks == nullptr) return;
  const std::size_t size = size_of(set.layout.dtype);
  std::byte* values = set.values.data() + static_cast<std::size_t>(elements.first) * size;
  part.values = ranks->prepare_allgather(state_.device(), {values, size, set.shares.part(elements), name});
}

void OptimizerUpdate::add_bucket(const FlatSet& set, Dim first, Dim count, void* gradient, const std::string& name) {
  const auto& offsets = set.layout.offsets;
  Part part;
  if (std::binary_search(offsets.begin(), offsets.end(), first) || may_cut(set, first)) {
    set_bucket(part, set, {first, first + count + std::exchange(waiting_, 0)}, gradient, name);
  } else {
    waiting_ += count;
  }
  parts_.push_back(std::move(part));
}

/// Whether the variable at `element` may be updated part by part.
bool OptimizerUpdate::may_cut(const FlatSet& set, Dim element) const {
  const auto& offsets = set.layout.offsets;
  const auto v = static_cast<std::size_t>(std::upper_bound(offsets.begin(), offsets.end(), element) - offsets.begin());
  return !checks() && cuts_anywhere(compiler_.optimizer(), set.rules[v - 1]);
}

void OptimizerUpdate::add_rows(const FlatSet& set, Dim first, const RowLayout& layout, void* gradient,
                               const std::string& name) {
  const auto& offsets = set.layout.offsets;
  const auto v = static_cast<std::size_t>(std::find(offsets.begin(), offsets.end(), first) - offsets.begin());
  const RowGradient rows{layout, static_cast<std::byte*>(gradient)};
  Part part;
  if (updates_rows_alone(compiler_.optimizer(), treatment_of(compiler_.optimizer(), set.rules[v]))) {
    part.rows = std::make_unique<RowUpdate>(compiler_, set, v, rows, numbers_of(set), state_.shared_by());
    if (checks()) part.squares = std::make_unique<RowSquares>(compiler_.device(), rows, squares_of(set).gradient + v);
  } else {
    const Variable& variable = set.layout.variables[v];
    part.dense = std::make_unique<DenseRows>(compiler_.device(), variable, rows);
    set_bucket(part, set, {first, first + variable.shape().elements()}, part.dense->data(), name);
  }
  parts_.push_back(std::move(part));
}

/// Where the norm of all gradients counts, the owner of a variable has all of it.
void OptimizerUpdate::prepare_gathers() {
  Communicator* ranks = state_.shared_by();
  if (ranks == nullptr || !clips_globally()) return;
  for (const FlatSet& set : state_.trainable()) {
    const std::vector<Dim>& offsets = set.layout.offsets;
    Shares variables{set.shares.ranks, {}};
    for (const Dim cut : set.shares.cuts) {
      variables.cuts.push_back(std::lower_bound(offsets.begin(), offsets.end(), cut) - offsets.begin());
    }
    squares_of_shares_.emplace_back(*ranks, state_.device());
    squares_of_shares_.back().add_shares(reinterpret_cast<std::byte*>(squares_of(set).gradient), sizeof(double),
                                         variables);
  }
}

void OptimizerUpdate::begin(std::int64_t steps, Stream& stream) {
  const Optimizer& optimizer = compiler_.optimizer();
  optimizer.set_steps(steps);
  const std::int64_t accumulated = optimizer.options().gradient_accumulation_steps.value_or(1);
  steps_ = steps;
  updates_ = (steps + 1) % accumulated == 0;
  left_out_ = false;
  ready_ = 0;
  const auto scalars = state_.scalars();
  scalars_before_.assign(scalars.begin(), scalars.end());
  if (updates_) optimizer->advance(scalars, optimizer.iterations());
  for (const auto& numbers : numbers_) {
    numbers->set(optimizer.learning_rate(), steps, state_.loss_scale().scale, scalars, stream);
  }
}

void OptimizerUpdate::bucket_ready(const UpdateTeam& team) {
  const Part& part = parts_[ready_++];
  if (part.dense) part.dense->run(*team.streams[0]);
  if (checks()) check_part(part, team);
  else update_part(part, team);
  if (updates_at_once()) share_part(part, team);
}

void OptimizerUpdate::check_part(const Part& part, const UpdateTeam& team) {
  if (part.rows) part.squares->run(*team.streams[0]);
  else if (part.bucket) part.bucket->check(team);
}

void OptimizerUpdate::update_part(const Part& part, const UpdateTeam& team) {
  if (part.rows) part.rows->run(*team.streams[0]);
  else if (!part.bucket) return;
  else if (updates_) part.bucket->begin(team);
  else part.bucket->accumulate(team);
}

void OptimizerUpdate::finish(const UpdateTeam& team) {
  if (checks()) {
    left_out_ = !gradients_are_finite(*team.streams[0]);
    if (loss_scaling() != nullptr) state_.loss_scale().update(*loss_scaling(), !left_out_);
    if (left_out_) return leave_out();
    for (const Part& part : parts_) update_part(part, team);
  }
  if (updates_ && clips_globally()) finish_clipping(team);
  share_rest(team);
  compiler_.optimizer().set_steps(steps_ + 1);
}

void OptimizerUpdate::leave_out() {
  std::copy(scalars_before_.begin(), scalars_before_.end(), state_.scalars().begin());
}

void OptimizerUpdate::finish_clipping(const UpdateTeam& team) {
  for (ShareGather& squares : squares_of_shares_) squares.run(*team.streams[0]);
  sum_->run(*team.streams[0]);
  for (const Part& part : parts_) {
    if (part.bucket) part.bucket->finish(team);  // with such a limit none is updated by rows alone
  }
}

/// Begins to give all ranks what this one has updated of a part.
void OptimizerUpdate::share_part(const Part& part, const UpdateTeam& team) {
  if (!part.values || !(updates_ || always_changes_)) return;
  for (const auto& stream : team.streams) stream->synchronize();
  part.values->start();
}

void OptimizerUpdate::share_rest(const UpdateTeam& team) {
  if (state_.shared_by() == nullptr || !(updates_ || always_changes_)) return;
  for (const Part& part : parts_) {
    if (!updates_at_once()) share_part(part, team);
  }
  for (const Part& part : parts_) {
    if (part.rows) part.rows->share(*team.streams[0]);
    if (part.values) part.values->wait();
  }
}

// Squares of float32 do not overflow in float64.
bool OptimizerUpdate::gradients_are_finite(Stream& stream) {
  double squares = 0.0;
  sum_->run(stream);
  state_.device().copy_to_host(&squares, reinterpret_cast<double*>(squares_->data()) + 3 * variables_, sizeof(squares),
                               stream);
  stream.synchronize();
  return std::isfinite(squares);
}

std::optional<Variable> OptimizerUpdate::first_not_finite(const std::vector<Variable>& variables,
                                                          Stream& stream) const {
  std::vector<double> squares(variables_);
  state_.device().copy_to_host(squares.data(), squares_->data(), squares.size() * sizeof(double), stream);
  stream.synchronize();
  std::vector<Variable> not_finite;
  std::size_t next = 0;
  for (const FlatSet& set : state_.trainable()) {
    for (const Variable& variable : set.layout.variables) {
      if (!std::isfinite(squares[next++])) not_finite.push_back(variable);
    }
  }
  const auto found = std::find_first_of(variables.begin(), variables.end(), not_finite.begin(), not_finite.end());
  return found == variables.end() ? std::nullopt : std::optional(*found);
}

}  // namespace strata
