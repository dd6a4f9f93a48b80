// SPDX-License-Identifier: Apache-2.0
#include "io/plots/plot_model.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "core/model/session.h"
#include "io/plots/graphviz.h"

namespace strata {
namespace {

constexpr std::array kFormats = {"dot", "png", "svg", "pdf"};

std::string format_of(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  for (const char* format : kFormats) {
    if (ending == std::string(".") + format) return format;
  }
  throw ConfigError("plot_model writes files whose names end with .dot, .png, .svg or .pdf. Received: " + path);
}

void write_text(const std::string& text, const std::string& path) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw IoError(path, std::string("cannot write the picture of the model: ") + std::strerror(errno));
}

}  // namespace

void plot_model(const Functional& model, const std::string& path, const PlotOptions& options) {
  const std::string format = format_of(path);
  const std::string text = model_to_dot(model, options);
  if (Session::current().communicator().rank() != 0) return;
  if (format == "dot") write_text(text, path);
  else draw_with_graphviz(text, path, format, std::chrono::minutes(1));
}

void plot_model(const Model& model, const std::string& path, const PlotOptions& options) {
  plot_model(model.graph(), path, options);
}

}  // namespace strata
