// SPDX-License-Identifier: Apache-2.0
#include "core/ops/einsum.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "core/base/error.h"
#include "core/ops/einsum_op.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

constexpr const char* kEllipsis = "...";

bool has(const std::string& letters, char letter) { return letters.find(letter) != std::string::npos; }

[[noreturn]] void malformed(const std::string& equation, const std::string& why) {
  throw ConfigError("einsum: expected an equation such as \"ab,bc->ac\" or \"...a,ab->...b\", received \"" + equation +
                    "\" (" + why + ")");
}

void check_letters(const std::string& equation, const std::string& letters) {
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (std::isalpha(static_cast<unsigned char>(letters[i])) == 0) malformed(equation, "only letters name axes");
    if (letters.find(letters[i], i + 1) != std::string::npos) {
      malformed(equation, std::string("the letter ") + letters[i] + " is twice in one tensor");
    }
  }
}

/// One part of an equation with its "..." replaced; `rest` are the letters that stand for it.
std::string expanded(const std::string& part, const std::string& rest) {
  const std::size_t at = part.find(kEllipsis);
  return at == std::string::npos ? part : part.substr(0, at) + rest + part.substr(at + 3);
}

/// How many axes the "..." of `part` stands for; 0 when it has none.
int ellipsis_axes(const std::string& equation, const std::string& part, int rank) {
  const bool elided = part.find(kEllipsis) != std::string::npos;
  const int axes = rank - static_cast<int>(part.size()) + (elided ? 3 : 0);
  if (axes < 0 || (!elided && axes > 0)) {
    throw ShapeError("einsum: expected an operand of rank " + std::string(elided ? "at least " : "") +
                     std::to_string(rank - axes) + " for \"" + part + "\" in \"" + equation + "\", received rank " +
                     std::to_string(rank));
  }
  return axes;
}

/// `count` letters that are not in `used`.
std::string unused_letters(const std::string& used, int count) {
  std::string found;
  for (const char first : {'a', 'A'}) {
    for (char c = first; c < first + 26 && static_cast<int>(found.size()) < count; ++c) {
      if (!has(used, c)) found += c;
    }
  }
  return found;
}

/// The dimension of each letter. Throws where the operands disagree.
std::map<char, Dim> dims_of(const EinsumEquation& equation, const Shape& a, const Shape& b) {
  std::map<char, Dim> dims;
  for (const auto& [letters, shape] : {std::pair{&equation.a, &a}, std::pair{&equation.b, &b}}) {
    for (std::size_t i = 0; i < letters->size(); ++i) {
      Dim& dim = dims.try_emplace((*letters)[i], None).first->second;
      const Dim own = (*shape)[static_cast<int>(i)];
      if (!dims_fit(dim, own)) {
        throw ShapeError("einsum: expected equal sizes of axis '" + std::string(1, (*letters)[i]) + "' in " +
                         equation.str() + ", received " + a.str() + " and " + b.str());
      }
      if (dim == None) dim = own;
    }
  }
  return dims;
}

/// Sums over the letters of `own` that neither `other` nor the result has, and removes them.
Tensor without_lone_letters(const Tensor& x, std::string& own, const std::string& other, const std::string& result) {
  std::vector<int> axes;
  std::string kept;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (has(other, own[i]) || has(result, own[i])) kept += own[i];
    else axes.push_back(static_cast<int>(i));
  }
  own = kept;
  return axes.empty() ? x : ops::sum(x, axes);
}

Shape shape_of(const std::string& letters, const std::map<char, Dim>& dims) {
  std::vector<Dim> shape;
  for (const char letter : letters) shape.push_back(dims.at(letter));
  return Shape(std::move(shape));
}

/// The product of the sizes; unknown when one of them is.
Dim size_of_all(const std::string& letters, const std::map<char, Dim>& dims) {
  const Shape shape = shape_of(letters, dims);
  return shape.is_known() ? shape.elements() : None;
}

/// A sum that is one matrix product of the operands as they lie in memory; an empty handle when it is not.
Tensor as_matmul(const EinsumEquation& equation, const Tensor& a, const Tensor& b, const Tensor& bias) {
  const EinsumLetters letters = sort_letters(equation);
  const bool transpose_a = equation.a == letters.k + letters.m, transpose_b = equation.b == letters.n + letters.k;
  const bool plain = letters.batch.empty() && equation.result == letters.m + letters.n && !letters.k.empty() &&
                     (transpose_a || equation.a == letters.m + letters.k) &&
                     (transpose_b || equation.b == letters.k + letters.n);
  if (!plain) return {};
  const auto dims = dims_of(equation, a.shape(), b.shape());
  const Dim m = size_of_all(letters.m, dims), n = size_of_all(letters.n, dims), k = size_of_all(letters.k, dims);
  const bool swap_a = transpose_a && !letters.m.empty(), swap_b = transpose_b && !letters.n.empty();
  const Tensor left = ops::reshape(a, swap_a ? Shape{k, m} : Shape{m, k});
  const Tensor right = ops::reshape(b, swap_b ? Shape{n, k} : Shape{k, n});
  Tensor product = ops::matmul(left, right, swap_a, swap_b);
  const Shape shape = shape_of(equation.result, dims);
  if (!bias) return ops::reshape(product, shape);
  // A bias over exactly the columns is added before the reshape, where it becomes part of the product's kernel.
  const bool columns = bias.shape() == shape_of(letters.n, dims) && n != None;
  if (columns) return ops::reshape(product + ops::reshape(bias, {n}), shape);
  return ops::reshape(product, shape) + bias;
}

std::vector<Dim> strides_of(const std::string& letters, const Shape& shape, const std::string& loop_letters) {
  std::vector<Dim> strides;
  for (const char letter : loop_letters) {
    Dim stride = 0;
    if (const std::size_t at = letters.find(letter); at != std::string::npos) {
      stride = 1;
      for (int axis = static_cast<int>(at) + 1; axis < shape.rank(); ++axis) stride *= shape[axis];
    }
    strides.push_back(stride);
  }
  return strides;
}

Prepared prepare_reference(const KernelRequest& request) {
  const auto& op = dynamic_cast<const EinsumOp&>(request.op);
  const EinsumLoops loops = einsum_loops(op.equation(), request.inputs, request.outputs[0]);
  std::vector<EinsumLoop> outer = loops.batch;
  outer.insert(outer.end(), loops.m.begin(), loops.m.end());
  outer.insert(outer.end(), loops.n.begin(), loops.n.end());
  const bool empty = request.outputs[0].shape.elements() == 0;
  return visit_dtype(request.outputs[0].dtype, [&]<class T>(TypeTag<T>) -> Prepared {
    if constexpr (!std::is_floating_point_v<T>) {
      return std::string("not a floating dtype");
    } else {
      return make_kernel([elements = empty ? std::vector<EinsumLoop>{} : loop_offsets(outer),
                          terms = loop_offsets(loops.k)](const KernelArgs& args) {
        for (const EinsumLoop& at : elements) {
          const T* a = args.input<T>(0) + at.a;
          const T* b = args.input<T>(1) + at.b;
          T sum = 0;
          for (const EinsumLoop& term : terms) sum += a[term.a] * b[term.b];
          args.output<T>()[at.c] = sum;
        }
      });
    }
  });
}

}  // namespace

EinsumEquation parse_einsum(const std::string& equation, int rank_a, int rank_b) {
  const std::size_t comma = equation.find(','), arrow = equation.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || arrow < comma) {
    malformed(equation, "two operands, an arrow and a result are needed");
  }
  EinsumEquation parts{equation.substr(0, comma), equation.substr(comma + 1, arrow - comma - 1),
                       equation.substr(arrow + 2)};
  const int elided_a = ellipsis_axes(equation, parts.a, rank_a), elided_b = ellipsis_axes(equation, parts.b, rank_b);
  const std::string rest = unused_letters(equation, std::max(elided_a, elided_b));
  const auto last = [&rest](int count) { return rest.substr(rest.size() - static_cast<std::size_t>(count)); };
  parts = {expanded(parts.a, last(elided_a)), expanded(parts.b, last(elided_b)), expanded(parts.result, rest)};
  for (const std::string* letters : {&parts.a, &parts.b, &parts.result}) check_letters(equation, *letters);
  for (const char letter : parts.result) {
    if (has(parts.a, letter) || has(parts.b, letter)) continue;
    malformed(equation, std::string("the letter ") + letter + " is in no operand");
  }
  return parts;
}

EinsumLetters sort_letters(const EinsumEquation& equation) {
  EinsumLetters letters;
  for (const char letter : equation.result) {
    const bool in_a = has(equation.a, letter), in_b = has(equation.b, letter);
    (in_a && in_b ? letters.batch : in_a ? letters.m : letters.n) += letter;
  }
  for (const char letter : equation.a) {
    if (!has(equation.result, letter)) letters.k += letter;
  }
  return letters;
}

EinsumLoops einsum_loops(const EinsumEquation& equation, std::span<const TensorSpec> inputs, const TensorSpec& output) {
  const auto dims = dims_of(equation, inputs[0].shape, inputs[1].shape);
  const auto loops = [&](const std::string& letters) {
    const auto a = strides_of(equation.a, inputs[0].shape, letters);
    const auto b = strides_of(equation.b, inputs[1].shape, letters);
    const auto c = strides_of(equation.result, output.shape, letters);
    std::vector<EinsumLoop> joined;
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const EinsumLoop next{dims.at(letters[i]), a[i], b[i], c[i]};
      if (next.size == 1) continue;
      EinsumLoop* last = joined.empty() ? nullptr : &joined.back();
      const bool same = last != nullptr && last->a == next.a * next.size && last->b == next.b * next.size &&
                        last->c == next.c * next.size;
      if (same) *last = {last->size * next.size, next.a, next.b, next.c};
      else joined.push_back(next);
    }
    return joined;
  };
  const EinsumLetters letters = sort_letters(equation);
  return {loops(letters.batch), loops(letters.m), loops(letters.n), loops(letters.k)};
}

std::vector<EinsumLoop> loop_offsets(std::span<const EinsumLoop> loops) {
  std::vector<EinsumLoop> offsets{{}};
  for (const EinsumLoop& loop : loops) {
    std::vector<EinsumLoop> next;
    for (const EinsumLoop& at : offsets) {
      for (Dim i = 0; i < loop.size; ++i) next.push_back({1, at.a + i * loop.a, at.b + i * loop.b, at.c + i * loop.c});
    }
    offsets = std::move(next);
  }
  return offsets;
}

std::vector<TensorSpec> EinsumOp::infer(std::span<const TensorSpec> inputs) const {
  if (!is_floating(inputs[0].dtype) || inputs[0].dtype != inputs[1].dtype) {
    throw DtypeError("einsum: expected two operands of one floating dtype, received " + inputs[0].str() + " and " +
                     inputs[1].str());
  }
  return {{shape_of(equation_.result, dims_of(equation_, inputs[0].shape, inputs[1].shape)), inputs[0].dtype}};
}

// A letter of an operand is in the other or in the result, so each derivative is a sum of the same kind.
std::vector<Gradient> EinsumOp::gradient(const GradientArgs& args) const {
  const EinsumEquation for_a{equation_.result, equation_.b, equation_.a};
  const EinsumEquation for_b{equation_.a, equation_.result, equation_.b};
  return {{ops::einsum(for_a.str(), args.grad(), args.input(1)), {}},
          {ops::einsum(for_b.str(), args.input(0), args.grad()), {}}};
}

Tensor ops::einsum(const std::string& equation, const Tensor& a, const Tensor& b, const Tensor& bias) {
  EinsumEquation parts = parse_einsum(equation, a.rank(), b.rank());
  dims_of(parts, a.shape(), b.shape());
  const Tensor left = without_lone_letters(a, parts.a, parts.b, parts.result);
  const Tensor right = without_lone_letters(b, parts.b, parts.a, parts.result);
  if (Tensor product = as_matmul(parts, left, right, bias)) return product;
  const Tensor sum = apply_one(std::make_shared<EinsumOp>(parts), {left, right});
  return bias ? sum + bias : sum;
}

void register_einsum(OpRegistry& registry) {
  const auto example = [](const std::string& equation, const Shape& a, const Shape& b) {
    const auto build = [equation](const std::vector<Tensor>& x) {
      return std::vector<Tensor>{
          apply_one(std::make_shared<EinsumOp>(parse_einsum(equation, x[0].rank(), x[1].rank())), {x[0], x[1]})};
    };
    return OpExample{equation, {{{a, Dtype::float32}}, {{b, Dtype::float32}}}, build};
  };
  registry.add(
      {"einsum",
       {{"xsmm", "cpu", prepare_einsum_xsmm},
        {"matmul", "cpu", prepare_einsum_matmul},
        {"reference", "cpu", prepare_reference}},
       {example("bqhd,bkhd->bhqk", {2, 5, 3, 4}, {2, 6, 3, 4}), example("bhqk,bkhd->bqhd", {2, 3, 5, 6}, {2, 6, 3, 4}),
        example("bhqk,bqhd->bkhd", {2, 3, 5, 6}, {2, 5, 3, 4}), example("ab,bc->ca", {5, 3}, {3, 4}),
        example("abc,dcb->da", {2, 3, 4}, {5, 4, 3}), example("ab,ab->ab", {3, 4}, {3, 4}),
        example("ab,a->ab", {3, 4}, {3}), example("ba,cb->bac", {4, 3}, {2, 4}),
        example("abcd,adc->acb", {2, 3, 1, 4}, {2, 4, 1}), example("ab,ab->a", {3, 5}, {3, 5})}});
}

}  // namespace strata
