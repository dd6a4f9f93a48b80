// SPDX-License-Identifier: Apache-2.0
// Pictures of models as files, and the program that draws them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "core/model/session.h"
#include "io/plots/graphviz.h"
#include "io/plots/plot_model.h"
#include "layers/layers.h"
#include "tests/io/expect_io_error.h"
#include "tests/support/files.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::expect_io_error;

/// PATH for as long as the scope lasts.
class Path {
 public:
  explicit Path(const std::string& path) : before_(std::getenv("PATH")) { setenv("PATH", path.c_str(), 1); }
  ~Path() { setenv("PATH", before_.c_str(), 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string before_;
};

class PlotFileTest : public ::testing::Test {
 protected:
  static Model perceptron() {
    const Tensor inputs = Input({784});
    return {inputs, layers::Dense(10)(layers::Dense(64)(inputs))};
  }
  static Model nested() {
    const Tensor original = Input({8}, {.name = "original"});
    const Model encoder(original, layers::Dense(2, {.name = "code"})(original), "encoder");
    const Tensor input = Input({8}, {.name = "input"});
    return {input, layers::Dense(8, {.name = "image"})(encoder(input))};
  }
  /// A `dot` of our own, which does what `commands` say.
  std::string fake_dot(const std::string& commands) const {
    const std::string program = "#!/bin/sh\n" + commands + "\n";
    testing::write_file(directory_.path("dot"), {program.begin(), program.end()});
    std::filesystem::permissions(directory_.path("dot"), std::filesystem::perms::owner_all);
    return directory_.path();
  }

  Session session_;
  SessionScope scope_{session_};
  testing::TemporaryDirectory directory_;
};

TEST_F(PlotFileTest, TextNeedsNoProgram) {
  const Path none(directory_.path());
  const Model model = perceptron();
  plot_model(model, directory_.path("model.dot"), {.show_shapes = true});
  EXPECT_EQ(testing::read_text(directory_.path("model.dot")), model_to_dot(model.graph(), {.show_shapes = true}));
  expect_io_error([&] { plot_model(model, directory_.path("nowhere/model.dot")); },
                  directory_.path("nowhere/model.dot"), "No such file or directory");
}

TEST_F(PlotFileTest, NamesTheMissingProgramAndItsPackage) {
  const Path none(directory_.path());
  expect_io_error([&] { plot_model(perceptron(), directory_.path("model.png")); }, directory_.path("model.png"),
                  "the program 'dot' cannot be started: No such file or directory. Install Graphviz (Debian's package "
                  "graphviz), or give a path that ends with .dot, which works without.");
}

TEST_F(PlotFileTest, SaysWhatTheProgramSaid) {
  const Path own(fake_dot("echo 'syntax error in line 1' >&2; exit 3") + ":/usr/bin:/bin");
  testing::write_file(directory_.path("model.svg"), {'o', 'l', 'd'});
  expect_io_error([&] { plot_model(perceptron(), directory_.path("model.svg")); }, directory_.path("model.svg"),
                  "'dot' failed with status 3. It said: syntax error in line 1");
  EXPECT_EQ(testing::read_text(directory_.path("model.svg")), "old");
}

TEST_F(PlotFileTest, GivesTheProgramTheTextAndItsTime) {
  const std::string path = directory_.path("picture.pdf");
  {
    const Path own(fake_dot("test \"$1 $2\" = '-Tpdf -o' && cat > \"$3\"") + ":/usr/bin:/bin");
    draw_with_graphviz("digraph G {}", path, "pdf", std::chrono::seconds(20));
    EXPECT_EQ(testing::read_text(path), "digraph G {}");
  }
  const Path own(fake_dot("exec sleep 600") + ":/usr/bin:/bin");
  expect_io_error([&] { draw_with_graphviz("digraph G {}", path, "pdf", std::chrono::milliseconds(100)); }, path,
                  "'dot' did not end within 0.1 s");
}

TEST_F(PlotFileTest, GraphvizDrawsIt) {
  if (std::system("dot -V >/dev/null 2>&1") != 0) GTEST_SKIP() << "Graphviz is not installed";
  const PlotOptions all{.show_shapes = true, .show_dtype = true, .expand_nested = true};
  plot_model(nested(), directory_.path("model.png"), all);
  EXPECT_EQ(testing::read_text(directory_.path("model.png")).substr(1, 3), "PNG");
  plot_model(nested(), directory_.path("model.svg"), all);
  const std::string svg = testing::read_text(directory_.path("model.svg"));
  for (const char* title : {"cluster_encoder", "encoder/code&#45;&gt;image"}) {
    EXPECT_NE(svg.find("<title>" + std::string(title) + "</title>"), std::string::npos) << svg;
  }
}

TEST_F(PlotFileTest, RankZeroAloneWrites) {
  testing::run_ranks(2, [&](Communicator& world) {
    plot_model(perceptron(), directory_.path("rank" + std::to_string(world.rank()) + ".dot"));
  });
  EXPECT_TRUE(std::filesystem::exists(directory_.path("rank0.dot")));
  EXPECT_FALSE(std::filesystem::exists(directory_.path("rank1.dot")));
}

}  // namespace
}  // namespace strata
