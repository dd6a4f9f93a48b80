// SPDX-License-Identifier: Apache-2.0
// What is said to wrong use, beside what Keras says.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/model/session.h"
#include "tests/support/golden_text.h"

namespace strata::testing {

/// One wrong use. `name` is that of a case of messages.py.
struct Message {
  std::string name;
  std::function<void()> use;
  std::string text;                 // ours; "" = the use is accepted; with a colon at its end, only how it begins
  std::vector<std::string> shared;  // what Keras says, too, up to kinds of brackets and quotes

  friend std::ostream& operator<<(std::ostream& out, const Message& message) { return out << message.name; }
};

/// Without quotes, all brackets round.
inline std::string plain_text(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if ((c == ')' || c == ']') && !result.empty() && result.back() == ',') result.pop_back();  // "(2,)"
    if (c != '\'' && c != '"' && c != '`') result += c == '[' ? '(' : c == ']' ? ')' : c;
  }
  return result;
}

/// The cases of messages.json about "calls", "models" or "arguments".
inline nlohmann::json keras_messages(const std::string& kind) {
  return nlohmann::json::parse(golden_text("messages.json")).at(kind);
}

/// Expects that the use, in a session of its own, throws an Error of just this text, and that Keras 3 or tf.keras 2
/// says the shared parts.
inline void expect_message(const std::string& kind, const Message& message) {
  Session session;
  const SessionScope scope(session);
  std::string ours, theirs;
  try {
    message.use();
  } catch (const Error& error) {
    ours = error.what();
  }
  EXPECT_EQ(message.text.ends_with(':') ? ours.substr(0, message.text.size()) : ours, message.text);
  const nlohmann::json golden = keras_messages(kind).at(message.name);
  for (const auto& [version, said] : golden.items()) {
    theirs += said.is_null() ? "" : plain_text(said.get<std::string>()) + "\n";
  }
  for (const std::string& part : message.shared) {
    EXPECT_NE(plain_text(ours).find(part), std::string::npos) << part << "\n" << plain_text(ours);
    EXPECT_NE(theirs.find(part), std::string::npos) << part << "\n" << theirs;
  }
}

inline void expect_all_tried(const std::string& kind, const std::vector<Message>& messages) {
  std::set<std::string> tried, known;
  for (const Message& message : messages) tried.insert(message.name);
  const nlohmann::json golden = keras_messages(kind);
  for (const auto& [name, texts] : golden.items()) known.insert(name);
  EXPECT_EQ(tried, known);
}

}  // namespace strata::testing
