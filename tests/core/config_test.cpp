// SPDX-License-Identifier: Apache-2.0
// Config against what Python's json.dumps writes.
#include "core/base/config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/shape.h"

namespace strata {
namespace {

TEST(Config, WritesFloatsAsPythonDoes) {
  const std::vector<std::pair<double, std::string>> cases = {{1e-07, "1e-07"},
                                                             {0.001, "0.001"},
                                                             {0.1, "0.1"},
                                                             {1.0, "1.0"},
                                                             {100.0, "100.0"},
                                                             {1e15, "1000000000000000.0"},
                                                             {1e16, "1e+16"},
                                                             {1.5e16, "1.5e+16"},
                                                             {123456789012345.6, "123456789012345.6"},
                                                             {0.0001, "0.0001"},
                                                             {0.00001, "1e-05"},
                                                             {1.5e-05, "1.5e-05"},
                                                             {-0.0, "-0.0"},
                                                             {0.0010000000474974513, "0.0010000000474974513"},
                                                             {1e100, "1e+100"},
                                                             {5e-324, "5e-324"},
                                                             {1.7976931348623157e308, "1.7976931348623157e+308"},
                                                             {std::nan(""), "NaN"},
                                                             {-std::numeric_limits<double>::infinity(), "-Infinity"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(Config(value).to_json(), text);
}

TEST(Config, WritesSeparatorsAndEscapesAsPythonDoes) {
  const Config config = Config::object({{"name", "d\xC3\xA9\xF0\x9F\x98\x80\n\"\\\x01\x7F"},
                                        {"shape", Shape{None, 784}},
                                        {"flag", true},
                                        {"list", Config::List{}},
                                        {"object", Config::object()},
                                        {"seed", nullptr}});
  EXPECT_EQ(config.to_json(),
            "{\"name\": \"d\\u00e9\\ud83d\\ude00\\n\\\"\\\\\\u0001\\u007f\", \"shape\": [null, 784], \"flag\": true, "
            "\"list\": [], \"object\": {}, \"seed\": null}");
}

TEST(Config, RefusesTextThatIsNotUtf8) {
  for (const char* text : {"\xC3", "\xFF", "a\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    EXPECT_THROW(Config(text).to_json(), ConfigError) << text;
  }
}

TEST(Config, ReadsWhatItWrites) {
  const std::string text =
      "{\"units\": 64, \"rate\": 1e-07, \"whole\": 2.0, \"name\": \"\\ud83d\\ude00\", \"shape\": [null, [1, -2]], "
      "\"big\": 9223372036854775807, \"on\": false, \"none\": null, \"inner\": {\"z\": 1, \"a\": {}}}";
  const Config config = Config::from_json(text);
  EXPECT_EQ(config.to_json(), text);
  EXPECT_EQ(config.at("units").as_int(), 64);
  EXPECT_EQ(config.at("units").as_double(), 64.0);
  EXPECT_EQ(config.at("name").as_string(), "\xF0\x9F\x98\x80");
  EXPECT_TRUE(config.at("none").is_null());
  EXPECT_EQ(config.at("inner").as_object().front().first, "z") << "keys keep their order";
}

TEST(Config, HoldsEveryKindOfInteger) {
  EXPECT_EQ(Config(std::size_t{64}).as_int(), 64);
  EXPECT_EQ(Config(7u).as_int(), 7);
  EXPECT_EQ(Config(-3LL).as_int(), -3);
  EXPECT_EQ(Config(short{5}).as_int(), 5);
  EXPECT_TRUE(Config(true).is_bool());
  EXPECT_TRUE(Config(1.0f).is_double());
  try {
    Config(std::numeric_limits<std::uint64_t>::max());
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "Config: expected an integer of at most 63 bits, received 18446744073709551615");
  }
}

TEST(Config, KeepsTheLastOfRepeatedKeys) {
  EXPECT_EQ(Config::from_json("{\"a\": 1, \"b\": 2, \"a\": 3}").to_json(), "{\"a\": 3, \"b\": 2}");
}

TEST(Config, ReadsShapes) {
  EXPECT_EQ(Config::from_json("[null, 28, -1]").as_shape(), (Shape{None, 28, None}));
  EXPECT_THROW(Config::from_json("[\"a\"]").as_shape(), ConfigError);
  EXPECT_EQ(Config(Shape{None, 3}).as_shape(), (Shape{None, 3}));
}

TEST(Config, SaysWhatWasExpectedAndReceived) {
  try {
    Config::from_json("{\"units\": \"many\"}").at("units").as_int();
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "Config: expected an integer, received \"many\"");
  }
  try {
    Config::object({{"a", 1}}).at("units");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "Config: expected a member 'units', received {\"a\": 1}");
  }
}

TEST(Config, ReadsPythonsWordsForNumbersThatAreNotFinite) {
  const std::string text = "{\"low\": -Infinity, \"high\": [Infinity, NaN], \"Infinity\": \"NaN, \\\"-Infinity\"}";
  const Config config = Config::from_json(text);
  EXPECT_EQ(config.to_json(), text);
  EXPECT_EQ(config.at("low").as_double(), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(config.at("high").as_list()[1].as_double()));
  EXPECT_EQ(Config::from_json("Infinity").as_double(), std::numeric_limits<double>::infinity());
}

TEST(Config, RefusesMalformedText) {
  for (const char* text : {"NaNs", "-NaN", "infinity", "1Infinity", "", "{", "[1,]", "{\"a\" 1}", "nul", "1 2",
                           "18446744073709551615", "\"\\ud83d\"", "1e999"}) {
    EXPECT_THROW(Config::from_json(text), ConfigError) << text;
  }
}

TEST(Config, RefusesTextThatIsNestedTooDeeply) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(Config::from_json(nested(500)).to_json(), nested(500));
  EXPECT_THROW(Config::from_json(nested(1000000)), ConfigError);
}

TEST(Config, ComparesByValue) {
  const Config a = Config::object({{"x", Config::List{1, 2.5, "y"}}});
  Config b = a;
  EXPECT_EQ(a, b);
  b.set("x", 3);
  EXPECT_NE(a, b);
  EXPECT_EQ(b.to_json(), "{\"x\": 3}");
}

}  // namespace
}  // namespace strata
