// SPDX-License-Identifier: Apache-2.0
// ops::einsum: equations, what they are computed by, errors. every_op_test checks the op itself.
#include <gtest/gtest.h>

#include <map>

#include "core/base/error.h"
#include "core/ops/einsum.h"
#include "core/ops/ops.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

Tensor numbers(const Shape& shape, std::uint64_t stream) {
  return ops::random_uniform({constant<std::int64_t>({3, 0, 0}, {3}), stream}, shape, -1, 1, Dtype::float64);
}

/// The sum written out, for letters without "...".
std::vector<double> written_out(const EinsumEquation& equation, const Tensor& a, const Tensor& b) {
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  std::map<char, Dim> dims, at;
  for (std::size_t i = 0; i < equation.a.size(); ++i) dims[equation.a[i]] = a.shape()[static_cast<int>(i)];
  for (std::size_t i = 0; i < equation.b.size(); ++i) dims[equation.b[i]] = b.shape()[static_cast<int>(i)];
  Dim size = 1, all = 1;
  for (const char letter : equation.result) size *= dims[letter];
  for (const auto& [letter, dim] : dims) all *= dim;
  const auto position = [&](const std::string& letters) {
    Dim index = 0;
    for (const char letter : letters) index = index * dims[letter] + at[letter];
    return static_cast<std::size_t>(index);
  };
  std::vector<double> result(static_cast<std::size_t>(size), 0.0);
  for (Dim i = 0; i < all; ++i) {
    Dim rest = i;
    for (const auto& [letter, dim] : dims) at[letter] = rest % dim, rest /= dim;
    result[position(equation.result)] += x[position(equation.a)] * y[position(equation.b)];
  }
  return result;
}

struct Sum {
  const char* equation;
  Shape a, b;
};

class Einsum : public ::testing::TestWithParam<Sum> {};

TEST_P(Einsum, IsTheSumThatItsEquationSays) {
  const auto& [equation, shape_a, shape_b] = GetParam();
  const Tensor a = numbers(shape_a, 1), b = numbers(shape_b, 2);
  const auto wanted = written_out(parse_einsum(equation, a.rank(), b.rank()), a, b);
  const auto exact = ops::einsum(equation, a, b).to_vector<double>();
  const Tensor single = ops::einsum(equation, ops::cast(a, Dtype::float32), ops::cast(b, Dtype::float32));
  const auto rounded = ops::cast(single, Dtype::float64).to_vector<double>();
  ASSERT_EQ(exact.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(exact[i], wanted[i], 1e-12);
    EXPECT_NEAR(rounded[i], wanted[i], 1e-5);
  }
}

TEST_P(Einsum, KnowsTheShapeOfItsResult) {
  const auto& [equation, shape_a, shape_b] = GetParam();
  const Shape real = ops::einsum(equation, numbers(shape_a, 1), numbers(shape_b, 2)).shape();
  const auto inferred = [&equation](const Shape& a, const Shape& b) {
    return ops::einsum(equation, placeholder({a, Dtype::float32}), placeholder({b, Dtype::float32})).shape();
  };
  EXPECT_EQ(inferred(shape_a, shape_b), real);
  EXPECT_EQ(inferred(Shape(std::vector<Dim>(static_cast<std::size_t>(shape_a.rank()), None)), shape_b).rank(),
            real.rank());
  EXPECT_TRUE(shapes_fit(inferred(shape_a.with(0, None), shape_b), real));
}

INSTANTIATE_TEST_SUITE_P(
    Equations, Einsum,
    ::testing::Values(Sum{"ab,bc->ac", {3, 4}, {4, 5}}, Sum{"abc,cde->abde", {2, 3, 4}, {4, 5, 2}},
                      Sum{"abcd,cde->abe", {2, 3, 4, 2}, {4, 2, 5}}, Sum{"abde,cde->abc", {2, 3, 4, 2}, {5, 4, 2}},
                      Sum{"abc,abde->cde", {2, 3, 4}, {2, 3, 5, 2}}, Sum{"bqhd,bkhd->bhqk", {2, 5, 3, 4}, {2, 6, 3, 4}},
                      Sum{"...x,xy->...y", {2, 3, 4}, {4, 5}}, Sum{"...x,xy->...y", {2, 4}, {4, 5}},
                      Sum{"ab...,bc->ac...", {2, 3, 4, 5}, {3, 4}}, Sum{"...a,...a->...", {2, 3, 4}, {2, 3, 4}},
                      Sum{"abc,b->c", {2, 3, 4}, {3}}, Sum{"ab,cd->b", {2, 3}, {4, 5}}, Sum{"a,b->ab", {3}, {4}},
                      Sum{"a,a->", {5}, {5}}, Sum{"a,ab->b", {5}, {5, 2}}, Sum{"ba,a->b", {2, 5}, {5}},
                      Sum{"ab,bc->ca", {3, 4}, {4, 5}}, Sum{"abcd,dbe->eca", {2, 3, 4, 5}, {5, 3, 2}},
                      Sum{"aB,Bc->ac", {3, 4}, {4, 5}}, Sum{"ab,bc->ac", {0, 4}, {4, 5}},
                      Sum{"abd,adc->bac", {2, 3, 4}, {2, 4, 1}}));

TEST(EinsumBias, IsAddedToTheResult) {
  const Tensor x = numbers({2, 3, 4}, 1), kernel = numbers({4, 5, 2}, 2);
  const Tensor product = ops::einsum("abc,cde->abde", x, kernel);
  for (const Shape& shape : {Shape{5, 2}, Shape{2}, Shape{5, 1}, Shape{3, 1, 2}}) {
    const Tensor bias = numbers(shape, 3);
    EXPECT_EQ(ops::einsum("abc,cde->abde", x, kernel, bias).to_vector<double>(), (product + bias).to_vector<double>());
  }
}

TEST(EinsumErrors, SayWhatWasExpected) {
  const Tensor a = numbers({2, 3}, 1), b = numbers({4, 5}, 2);
  testing::expect_error<ShapeError>(
      [&] { ops::einsum("ab,bc->ac", a, b); },
      "einsum: expected equal sizes of axis 'b' in ab,bc->ac, received (2, 3) and (4, 5)");
  testing::expect_error<ShapeError>(
      [&] { ops::einsum("abc,cd->abd", a, b); },
      "einsum: expected an operand of rank 3 for \"abc\" in \"abc,cd->abd\", received rank 2");
  testing::expect_error<ShapeError>(
      [&] { ops::einsum("...abc,cd->abd", a, b); },
      "einsum: expected an operand of rank at least 3 for \"...abc\" in \"...abc,cd->abd\", received rank 2");
  const std::string form = "einsum: expected an equation such as \"ab,bc->ac\" or \"...a,ab->...b\", received ";
  testing::expect_error<ConfigError>([&] { ops::einsum("ab,cd", a, b); },
                                     form + "\"ab,cd\" (two operands, an arrow and a result are needed)");
  testing::expect_error<ConfigError>([&] { ops::einsum("aa,cd->ac", a, b); },
                                     form + "\"aa,cd->ac\" (the letter a is twice in one tensor)");
  testing::expect_error<ConfigError>([&] { ops::einsum("ab,cd->ax", a, b); },
                                     form + "\"ab,cd->ax\" (the letter x is in no operand)");
  testing::expect_error<ConfigError>([&] { ops::einsum("a1,cd->ac", a, b); },
                                     form + "\"a1,cd->ac\" (only letters name axes)");
  testing::expect_error<DtypeError>(
      [&] { ops::einsum("ab,ac->bc", a, ops::cast(a, Dtype::float32)); },
      "matmul: expected two operands of one floating dtype, received float64 (2, 3) and float32 (2, 3)");
}

}  // namespace
}  // namespace strata
