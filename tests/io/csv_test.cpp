// SPDX-License-Identifier: Apache-2.0
// CSV files as samples.
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "io/loaders/csv_table.h"
#include "io/loaders/loaders.h"
#include "tests/io/expect_io_error.h"
#include "tests/io/loaded_samples.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"

namespace strata {
namespace {

using testing::elements_of;
using testing::expect_error_with;
using testing::expect_io_error;

class CsvLoader : public ::testing::Test {
 protected:
  Dataset load(const std::string& text, const loaders::CsvOptions& options = {}) const {
    testing::write_file(path_, {text.begin(), text.end()});
    return loaders::csv(path_, options);
  }
  testing::TemporaryDirectory directory_;
  std::string path_ = directory_.path("table.csv");
};

TEST_F(CsvLoader, ColumnsBecomeArrays) {
  const std::string text = "a,label,b,weight\n1,0,2.5,0.5\n\n-3e1, 2 ,+4,1\r\n7,1,nan,0\n";
  const Dataset data = load(text, {.y = {"label"}, .sample_weight = {"weight"}, .y_dtype = Dtype::int32});
  const auto& specs = data.source()->specs();
  EXPECT_EQ(specs.x[0].row, (TensorSpec{{2}, Dtype::float32}));
  EXPECT_EQ(specs.y[0].row, (TensorSpec{{}, Dtype::int32}));
  const auto x = elements_of<float>(data, 0);
  EXPECT_EQ((std::vector<float>{x.begin(), x.begin() + 5}), (std::vector<float>{1, 2.5F, -30, 4, 7}));
  EXPECT_TRUE(std::isnan(x[5]));
  EXPECT_EQ(elements_of<std::int32_t>(data, 1), (std::vector<std::int32_t>{0, 2, 1}));
  EXPECT_EQ(elements_of<float>(data, 2), (std::vector<float>{0.5F, 1, 0}));

  const Dataset named = load(text, {.x = {"b", "a"}, .y = {"label"}, .named = true});
  EXPECT_EQ(named.source()->specs().x[0].name, "b");
  EXPECT_EQ(elements_of<float>(named, 1), (std::vector<float>{1, -30, 7}));
  EXPECT_EQ(elements_of<float>(load("\xEF\xBB\xBF" + text, {.x = {"a"}}), 0), (std::vector<float>{1, -30, 7}));
  const Dataset two = load(text, {.x = {"a"}, .y = {"b", "weight"}});
  EXPECT_EQ(two.source()->specs().y[0].row.shape, (Shape{2}));
}

TEST_F(CsvLoader, WithoutAHeaderAndWithClasses) {
  const Dataset data =
      load("5.1;\"Iris; \"\"setosa\"\"\"\n4.9;virginica", {.y = {"kind"},
                                                           .delimiter = ';',
                                                           .header = false,
                                                           .column_names = {"length", "kind"},
                                                           .y_classes = {"virginica", "Iris; \"setosa\""}});
  EXPECT_EQ(elements_of<float>(data, 0), (std::vector<float>{5.1F, 4.9F}));
  EXPECT_EQ(elements_of<std::int32_t>(data, 1), (std::vector<std::int32_t>{1, 0}));
  EXPECT_EQ(elements_of<float>(load("1,2\n3,4\n", {.x = {"1"}, .header = false}), 0), (std::vector<float>{2, 4}));
}

TEST_F(CsvLoader, QuotedFieldsMayHoldLineEnds) {
  const Dataset data = load("\"a\nb\",c\r\n1,2\r\n\"3\",4\r\n");
  EXPECT_EQ(data.source()->rows(), 2);
  EXPECT_EQ(elements_of<float>(data, 0), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(CsvLoader, ReadsTheRecordsThatAreAskedFor) {
  const auto source = load("a\n1\n22\n333\n").source();
  const std::int64_t before = source->bytes_read();
  EXPECT_EQ(elements_of<float>(*source, 0, {2, 1}), (std::vector<float>{333, 22}));
  EXPECT_EQ(source->bytes_read() - before, 4 + 3);
}

TEST_F(CsvLoader, WhatDoesNotFitIsAnError) {
  const auto refused = [&](const std::string& text, const loaders::CsvOptions& options, const std::string& what) {
    expect_io_error([&] { elements_of<float>(load(text, options), 0); }, path_, what);
  };
  refused("", {}, "received an empty file");
  refused("a,b\n1,x\n", {}, "sample 0: column \"b\": expected a number, received \"x\"");
  refused("a,b\n1,2\n1\n", {}, "sample 1: expected 2 fields, received 1");
  refused("a,b\n1,2,\n", {}, "expected 2 fields, received 3");
  refused("a,b\n1,\n", {}, "expected a number, received \"\"");
  refused("a,b\n1,\"2\n", {}, "a quote is not closed");
  refused("a,b\n1,\"2\"3\n", {}, "expected a delimiter after a quoted field");
  refused("a,b\n1,2\n", {.y = {"c"}}, "expected a column \"c\", received the columns a, b");
  refused("a\n1\n", {.y = {"a"}}, "expected at least one column of x");
  expect_io_error([&] { elements_of<std::int32_t>(load("a,b\n1,2.5\n", {.y = {"b"}, .y_dtype = Dtype::int32}), 1); },
                  path_, "expected a whole number of int32, received \"2.5\"");
  expect_io_error([&] { elements_of<std::int64_t>(load("a,b\n1,1e300\n", {.y = {"b"}, .y_dtype = Dtype::int64}), 1); },
                  path_, "expected a whole number of int64");
  expect_io_error([&] { elements_of<std::int32_t>(load("a,b\n1,z\n", {.y = {"b"}, .y_classes = {"x"}}), 1); }, path_,
                  "expected one of the classes, received \"z\"");
  expect_error_with<ConfigError>([&] { load("a,b\n1,2\n", {.y = {"b"}, .y_dtype = Dtype::float16}); }, "y_dtype");
  expect_io_error([] { loaders::csv("/nonexistent/a.csv"); }, "/nonexistent/a.csv", "cannot be opened");
}

}  // namespace
}  // namespace strata
