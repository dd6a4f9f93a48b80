// SPDX-License-Identifier: Apache-2.0
#include "core/training/bucket_update.h"

#include <algorithm>

#include "core/ops/ops.h"
#include "core/ops/square_sums.h"

namespace strata {
namespace {

constexpr Dim kGrain = 4096;   // elements below which a thread of its own does not pay
constexpr Dim kPiece = 16384;  // elements whose variables, gradients and slots stay in a core's cache from op to op

std::shared_ptr<const Program> compile_sum(Tensor (*sum)(const Tensor&), Dtype dtype, Dim count, Device& device) {
  const DeviceScope scope(device);
  const Tensor x = placeholder({{count}, dtype}, "squares");
  return Program::compile({x}, {sum(x)}, device);
}

Tensor sum_of_chunks(const Tensor& squares) { return ops::sum(squares); }

}  // namespace

BucketUpdate::BucketUpdate(UpdateCompiler& compiler, const FlatSet& set, Dim first, Dim count, void* gradient,
                           const UpdateSquares& squares, const UpdateNumbers& numbers, int threads, bool checks)
    : compiler_(compiler),
      set_(set),
      gradient_(static_cast<std::byte*>(gradient) - static_cast<std::size_t>(first) * size_of(set.layout.dtype)),
      squares_(squares),
      numbers_(numbers),
      device_(compiler.device()),
      dtype_(set.layout.dtype),
      threads_(threads) {
  const Optimizer& optimizer = compiler_.optimizer();
  find_ranges(first, count);

  if (checks) add_norms(check_, variables_, {{gradient_, squares_.gradient}});
  Passes* passes = &first_;
  UpdatePart next = UpdatePart::collect;
  if (clips_by_norm(optimizer.options())) {
    add_parts(first_, {next, next}, true);
    add_norms(first_, own_, {{gradient_, squares_.gradient}});
    if (optimizer.options().global_clipnorm) passes = &rest_;
    next = UpdatePart::direct;
  }
  if (needs_norms(*optimizer)) {
    add_parts(*passes, {next, UpdatePart::direct}, true);
    add_norms(*passes, own_, {{set_.values.data(), squares_.variable}, {gradient_, squares_.direction}});
    next = UpdatePart::apply;
  }
  add_parts(*passes, {next, UpdatePart::apply}, true);
  if (optimizer.options().gradient_accumulation_steps) {
    add_parts(accumulation_, {UpdatePart::collect, UpdatePart::apply}, false);
  }
  prepare();
}

void BucketUpdate::find_ranges(Dim first, Dim count) {
  const FlatLayout& layout = set_.layout;
  const Optimizer& optimizer = compiler_.optimizer();
  // Numbers that differ from variable to variable are bound to programs of single variables.
  const bool single = optimizer.options().clipnorm || needs_norms(*optimizer);
  auto own = set_.own.begin();
  auto joined = set_.own.end();  // the own elements of which the last range is
  for (std::size_t v = 0; v < layout.variables.size(); ++v) {
    const IndexRange wanted{std::max(layout.offsets[v], first),
                            std::min(layout.offsets[v] + layout.variables[v].shape().elements(), first + count)};
    if (wanted.size() <= 0) continue;
    variables_.push_back(v);
    while (own != set_.own.end() && own->last <= wanted.first) ++own;
    for (; own != set_.own.end() && own->first < wanted.last; ++own) {
      if (own_.empty() || own_.back() != v) own_.push_back(v);
      Range range{{std::max(own->first, wanted.first), std::min(own->last, wanted.last)},
                  v,
                  treatment_of(optimizer, set_.rules[v])};
      if (!single && own == joined && ranges_.back().treatment.joins(range.treatment)) {
        ranges_.back().elements.last = range.elements.last;
      } else {
        ranges_.push_back(std::move(range));
      }
      joined = own;
      if (own->last > wanted.last) break;
    }
  }
}

std::vector<IndexRange> BucketUpdate::cut(const Range& range) const {
  if (range.treatment.whole) return {range.elements};
  const Dim line = static_cast<Dim>(64 / size_of(dtype_));  // pieces begin at cache lines
  const Dim share = range.elements.size() / threads_ / line * line + line;
  const Dim piece = std::clamp(share, kGrain, kPiece);
  std::vector<IndexRange> result;
  for (Dim first = range.elements.first; first < range.elements.last; first += piece) {
    result.push_back({first, std::min(first + piece, range.elements.last)});
  }
  return result;
}

void BucketUpdate::add_parts(Passes& passes, UpdateParts parts, bool updates) {
  std::vector<UpdateTask> tasks;
  for (const Range& range : ranges_) {
    std::vector<std::optional<Shape>> shapes;
    for (const FlatSlot& slot : set_.slots) shapes.push_back(slot.shapes[range.variable]);
    for (const IndexRange elements : cut(range)) {
      const auto& program = compiler_.get(range.treatment, parts, updates, dtype_, elements.size(), shapes);
      if (program.program) tasks.push_back(update_task(range, elements, program));
    }
  }
  if (!tasks.empty()) passes.emplace_back(std::move(tasks));
}

UpdateTask BucketUpdate::update_task(const Range& range, IndexRange elements, const UpdateProgram& program) const {
  const bool global = compiler_.optimizer().options().global_clipnorm.has_value();
  const std::size_t v = range.variable;
  std::vector<void*> places{numbers_.learning_rate(),
                            numbers_.steps(),
                            numbers_.loss_scale(),
                            global ? squares_.all_gradients : squares_.gradient + v,
                            squares_.variable + v,
                            squares_.direction + v,
                            gradient_ + bytes(elements.first),
                            set_.values.data() + bytes(elements.first)};
  for (std::size_t i = 0; i < numbers_.scalars(); ++i) places.push_back(numbers_.scalar(i));
  for (const FlatSlot& slot : set_.slots) {
    // A slot of another shape than the variable's belongs to a whole variable.
    const Dim within = elements.first - set_.layout.offsets[v];
    places.push_back(set_.slot_data(slot, slot.offsets[v] + within));
  }
  UpdateTask task{program.program, {places.begin(), places.end()}, {}};
  for (const int target : program.targets) task.outputs.push_back(places[static_cast<std::size_t>(target)]);
  return task;
}

void BucketUpdate::add_norms(Passes& passes, const std::vector<std::size_t>& variables,
                             const std::vector<Norm>& norms) {
  std::vector<UpdateTask> chunk_tasks, sum_tasks;
  for (const std::size_t v : variables) {
    const Dim elements = set_.layout.variables[v].shape().elements();
    const Dim chunks = (elements + kNormChunk - 1) / kNormChunk;
    for (const Norm& norm : norms) {
      double* sums = norm.squares + v;
      if (chunks > 1) {
        chunk_sums_.push_back(std::make_shared<Storage>(device_, static_cast<std::size_t>(chunks) * sizeof(double)));
        sums = reinterpret_cast<double*>(chunk_sums_.back()->data());
        sum_tasks.push_back({compile_sum(sum_of_chunks, Dtype::float64, chunks, device_), {sums}, {norm.squares + v}});
      }
      const Dim parts = std::min<Dim>(chunks, threads_);
      for (Dim p = 0; p < parts; ++p) {
        const IndexRange own = even_part(chunks, parts, p);
        const Dim from = own.first * kNormChunk;
        const Dim count = std::min(own.last * kNormChunk, elements) - from;
        chunk_tasks.push_back({compile_sum(ops::square_sums, dtype_, count, device_),
                               {norm.data + bytes(set_.layout.offsets[v] + from)},
                               {sums + own.first}});
      }
    }
  }
  passes.emplace_back(std::move(chunk_tasks));
  if (!sum_tasks.empty()) passes.emplace_back(std::move(sum_tasks));
}

void BucketUpdate::prepare() {
  std::size_t bytes = 0;
  for (const Passes* passes : {&check_, &first_, &rest_, &accumulation_}) {
    for (const UpdatePass& pass : *passes) bytes = std::max(bytes, pass.arena_bytes());
  }
  UpdateArenas arenas;
  for (int t = 0; t < threads_; ++t) arenas.push_back(std::make_shared<Storage>(device_, bytes));
  for (Passes* passes : {&check_, &first_, &rest_, &accumulation_}) {
    for (UpdatePass& pass : *passes) pass.prepare(arenas);
  }
}

void BucketUpdate::run(Passes& passes, const UpdateTeam& team) {
  for (UpdatePass& pass : passes) pass.run(team);
}

}  // namespace strata
