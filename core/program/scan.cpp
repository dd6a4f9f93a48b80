// SPDX-License-Identifier: Apache-2.0
#include "core/program/scan.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/program/scan_op.h"

namespace strata {
namespace {

void require_same_spec(const Tensor& next, const Tensor& before) {
  if (next.dtype() != before.dtype()) {
    throw DtypeError("scan: expected a next carry of " + before.spec().str() + ", received " + next.spec().str());
  }
  if (!shapes_fit(next.shape(), before.shape())) {
    throw ShapeError("scan: expected a next carry of " + before.spec().str() + ", received " + next.spec().str());
  }
}

/// A carry that no step reads and that becomes what another becomes is that other one after the last step. Drops such;
/// returns for every carry the number of the one that is left for it. `steps` may be None: then nothing is known.
std::vector<std::size_t> drop_doubled_carries(ScanGraph& body, Dim steps) {
  const NodeSet read = nodes_below(body.results());
  std::vector<std::size_t> left(body.carries.size());
  ScanGraph kept{{}, body.inputs, body.captured, {}, body.outputs};
  for (std::size_t c = 0; c < left.size(); ++c) {
    const auto same = [&](const Tensor& next) { return next.same_as(body.next[c]); };
    const auto earlier = std::find_if(kept.next.begin(), kept.next.end(), same);
    const bool unread = steps != None && steps > 0 && !read.contains(body.carries[c].node().get());
    left[c] = static_cast<std::size_t>(earlier - kept.next.begin());
    if (unread && earlier != kept.next.end()) continue;
    left[c] = kept.carries.size();
    kept.carries.push_back(body.carries[c]);
    kept.next.push_back(body.next[c]);
  }
  body = kept;
  return left;
}

}  // namespace

ScanResult scan(const ScanBody& body, const std::vector<Tensor>& initial, const std::vector<Tensor>& sequences,
                bool reverse) {
  if (sequences.empty()) throw ConfigError("scan: expected at least one sequence, received none");
  ScanGraph traced;
  for (const Tensor& t : initial) traced.carries.push_back(placeholder(t.spec()));
  for (const Tensor& t : sequences) {
    if (t.rank() == 0 || !dims_fit(t.shape()[0], sequences[0].shape()[0])) {
      throw ShapeError("scan: expected sequences of one length along axis 0, received " + sequences[0].shape().str() +
                       " and " + t.shape().str());
    }
    traced.inputs.push_back(placeholder({t.shape().slice(1, t.rank()), t.dtype()}));
  }
  ScanStep step = body(traced.carries, traced.inputs);
  if (step.carries.size() != initial.size()) {
    throw ConfigError("scan: expected " + std::to_string(initial.size()) + " next carries, received " +
                      std::to_string(step.carries.size()));
  }
  for (std::size_t c = 0; c < initial.size(); ++c) require_same_spec(step.carries[c], traced.carries[c]);
  traced.next = std::move(step.carries);
  traced.outputs = std::move(step.outputs);
  const std::vector<std::size_t> final_of = drop_doubled_carries(traced, sequences[0].shape()[0]);
  const std::vector<Tensor> captured = capture(traced);

  std::vector<Tensor> inputs;
  for (std::size_t c = 0; c < initial.size(); ++c) {
    if (final_of[c] == inputs.size()) inputs.push_back(initial[c]);
  }
  const std::size_t carries = inputs.size();
  inputs.insert(inputs.end(), sequences.begin(), sequences.end());
  inputs.insert(inputs.end(), captured.begin(), captured.end());
  const auto results = apply_op(std::make_shared<ScanOp>(std::move(traced), reverse), std::move(inputs));
  ScanResult result{{}, {results.begin() + static_cast<std::ptrdiff_t>(carries), results.end()}};
  for (const std::size_t final : final_of) result.carries.push_back(results[final]);
  return result;
}

void register_scan(OpRegistry& registry) {
  const auto input = [](const Shape& shape) { return ExampleInput{{shape, Dtype::float32}}; };
  // h' = tanh(x w + h u), every h an output: a simple recurrent network.
  const auto example = [&](const std::string& label, bool reverse) {
    const auto build = [reverse](const std::vector<Tensor>& x) {
      const auto result = scan(
          [&](const std::vector<Tensor>& h, const std::vector<Tensor>& in) -> ScanStep {
            const Tensor next = ops::tanh(ops::matmul(in[0], x[2]) + ops::matmul(h[0], x[3]));
            return {{next}, {next * 2.0}};
          },
          {x[0]}, {x[1]}, reverse);
      return std::vector<Tensor>{result.carries[0], result.outputs[0]};
    };
    return OpExample{label, {input({2, 3}), input({4, 2, 5}), input({5, 3}), input({3, 3})}, build};
  };
  registry.add(
      {"scan", {{"reference", "cpu", prepare_scan, true}}, {example("forward", false), example("reverse", true)}});
}

}  // namespace strata
