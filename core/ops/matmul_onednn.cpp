// SPDX-License-Identifier: Apache-2.0
// Products by oneDNN's matmul primitive, with bias and relu inside it.
#include "core/ops/matmul.h"
#include "core/ops/onednn.h"

namespace strata {
namespace {

using dnnl::memory;

/// The strides of a row-major operand, its last two axes swapped when transposed.
memory::desc operand(const Shape& shape, int rank, bool transposed) {
  memory::dims dims(static_cast<std::size_t>(rank), 1);
  memory::dims strides(dims.size());
  Dim stride = 1;
  for (int i = 1; i <= rank; ++i) {
    const auto at = dims.size() - static_cast<std::size_t>(i);
    if (i <= shape.rank()) dims[at] = shape[shape.rank() - i];
    strides[at] = stride;
    stride *= dims[at];
  }
  if (transposed) {
    std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
    std::swap(strides[dims.size() - 1], strides[dims.size() - 2]);
  }
  return {dims, memory::data_type::f32, strides};
}

}  // namespace

Prepared prepare_matmul_onednn(const KernelRequest& request) {
  const auto& op = dynamic_cast<const MatMulOp&>(request.op);
  const TensorSpec& output = request.outputs[0];
  if (output.dtype != Dtype::float32) return "only float32";
  const Shape& a = request.inputs[0].shape;
  if (output.shape.elements() == 0 || a.elements() == 0) return "an empty operand";

  // Leading axes of a fold into its rows when b has none, so that one large product replaces many.
  const bool fold = request.inputs[1].shape.rank() == 2 && !op.transpose_a();
  const int rank = fold ? 2 : output.shape.rank();
  const auto folded = [&](const Shape& s) { return fold ? Shape{s.elements() / s.back(), s.back()} : s; };
  const memory::desc src = operand(folded(a), rank, op.transpose_a());
  const memory::desc weights = operand(request.inputs[1].shape, rank, op.transpose_b());
  const memory::desc dst = operand(folded(output.shape), rank, false);
  const memory::desc bias = operand({output.shape.back()}, rank, false);

  const ProductEpilogue& epilogue = op.epilogue();
  const auto description =
      epilogue.bias ? dnnl::matmul::desc(src, weights, bias, dst) : dnnl::matmul::desc(src, weights, dst);
  const dnnl::matmul::primitive_desc chosen(description, onednn_attributes(epilogue), onednn_engine(), true);
  if (!chosen) return "oneDNN has no implementation";
  OnednnScratch scratch;
  std::vector<OnednnArgument> arguments{{DNNL_ARG_SRC, src, OnednnArgument::input, 0},
                                        {DNNL_ARG_WEIGHTS, weights, OnednnArgument::input, 1},
                                        {DNNL_ARG_DST, dst, OnednnArgument::output, 0},
                                        scratch.scratchpad(chosen.scratchpad_desc())};
  if (epilogue.bias) arguments.push_back({DNNL_ARG_BIAS, bias, OnednnArgument::input, 2});
  return make_onednn_kernel({{dnnl::matmul(chosen), std::move(arguments)}}, scratch.bytes(),
                            onednn_finish(epilogue, output));
}

}  // namespace strata
