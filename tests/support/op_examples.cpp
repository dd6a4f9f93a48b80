// SPDX-License-Identifier: Apache-2.0
#include "tests/support/op_examples.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>

namespace strata::testing {

void PrintTo(const OpCase& op_case, std::ostream* out) {
  *out << op_case.entry->name << ": " << op_case.example->label;
}

std::vector<OpCase> all_op_cases() {
  std::vector<OpCase> cases;
  for (const auto& [name, entry] : OpRegistry::instance().entries()) {
    for (std::size_t i = 0; i < entry.examples.size(); ++i) {
      std::string legal = name + "_" + std::to_string(i) + "_" + entry.examples[i].label;
      std::replace_if(
          legal.begin(), legal.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
      cases.push_back({&entry, &entry.examples[i], legal});
    }
  }
  return cases;
}

/// Exact in `dtype`, and in float32.
double rounded(double value, Dtype dtype) {
  const auto number = static_cast<float>(value);
  if (!is_half(dtype)) return number;
  return dtype == Dtype::float16 ? Float16(number) : Bfloat16(number);
}

std::vector<Values> draw_inputs(const OpExample& example) {
  std::mt19937_64 generator(example.inputs.size() * 1000 + example.label.size());
  std::vector<Values> all;
  for (const ExampleInput& input : example.inputs) {
    std::uniform_real_distribution<double> uniform(input.low, input.high);
    Values values(static_cast<std::size_t>(input.spec.shape.elements()));
    for (double& v : values) {
      v = uniform(generator);
      v = is_floating(input.spec.dtype) ? rounded(v, input.spec.dtype) : std::floor(v);
    }
    all.push_back(std::move(values));
  }
  return all;
}

TensorSpec spec_of(const ExampleInput& input, Width width) {
  if (input.spec.dtype != Dtype::float32) return input.spec;
  switch (width) {
    case Width::as_declared: break;
    case Width::float64: return {input.spec.shape, Dtype::float64};
    case Width::float16: return {input.spec.shape, Dtype::float16};
    case Width::bfloat16: return {input.spec.shape, Dtype::bfloat16};
  }
  return input.spec;
}

Tensor make_tensor(const Values& values, const TensorSpec& spec) {
  return visit_element(spec.dtype, [&]<class T>(TypeTag<T>) {
    const auto typed = std::make_unique<T[]>(values.size());
    std::transform(values.begin(), values.end(), typed.get(),
                   [](double v) { return static_cast<T>(static_cast<Widened<T>>(v)); });
    return constant(std::span<const T>(typed.get(), values.size()), spec.shape);
  });
}

std::vector<Tensor> make_inputs(const OpExample& example, const std::vector<Values>& values, Width width) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    inputs.push_back(make_tensor(values[i], spec_of(example.inputs[i], width)));
  }
  return inputs;
}

std::vector<std::byte> bytes_of(const Tensor& tensor) {
  const Buffer& buffer = tensor.eval();
  std::vector<std::byte> bytes(tensor.spec().bytes());
  Device& device = buffer.storage->device();
  const auto stream = device.make_stream();
  device.copy_to_host(bytes.data(), buffer.data(), bytes.size(), *stream);
  stream->synchronize();
  return bytes;
}

Values values_of(const Tensor& tensor) {
  const std::vector<std::byte> bytes = bytes_of(tensor);
  Values values(static_cast<std::size_t>(tensor.shape().elements()));
  visit_element(tensor.dtype(), [&]<class T>(TypeTag<T>) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      T value;
      std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
      values[i] = static_cast<double>(static_cast<Widened<T>>(value));
    }
  });
  return values;
}

}  // namespace strata::testing
