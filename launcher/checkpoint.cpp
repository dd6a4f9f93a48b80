// SPDX-License-Identifier: Apache-2.0
// checkpoint: looks at the checkpoints that runs have written.
#include <fmt/format.h>
#include <strata/strata.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>

#include "io/checkpoint/checkpoint_directory.h"
#include "io/hdf5_file.h"

namespace strata {
namespace {

constexpr const char* kDescription =
    "Looks at the checkpoints that training with --checkpoint-dir, or .checkpoint in fit, has written.\n"
    "A CHECKPOINT is the directory of one, such as ckpt/step-00000042, or the directory of all, which\n"
    "means the newest. Exit code 0: all is well; 1: something is damaged, differs or cannot be done.";

/// Where one checkpoint is.
struct Place {
  std::string directory;
  std::int64_t step;
};

Place place_of(const std::string& path) {
  const std::filesystem::path name(path);
  if (const auto step = step_of_name(name.filename())) {
    return {name.has_parent_path() ? name.parent_path().string() : ".", *step};
  }
  const std::vector<std::int64_t> steps = checkpoint_files().steps(path);
  if (steps.empty()) throw IoError(path, "expected a checkpoint, or a directory of them; found none");
  return {path, steps.back()};
}

std::unique_ptr<SavedCheckpoint> open_at(const Place& place) {
  return checkpoint_files().open(place.directory, place.step, checkpoint_files().manifest(place.directory, place.step));
}

/// Reads every byte. Throws IoError for the first that is not as it was written.
void verify(const SavedCheckpoint& saved) {
  for (int shard = 0; shard < saved.shards(); ++shard) saved.verify_shard(shard);
}

std::size_t bytes_of(const SavedCheckpoint& saved) {
  std::size_t bytes = 0;
  for (const StateTensor& tensor : saved.tensors()) bytes += tensor.spec.bytes();
  return bytes;
}

std::string place_in_run(const SavedCheckpoint& saved) {
  const Config& run = saved.description().at("run");
  return fmt::format("epoch {}, step {}", run.at("epoch").as_int() + 1, run.at("step").as_int());
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

/// Calls `look` with each checkpoint of a directory; prints what is wrong with it.
bool for_each(const std::string& directory, const std::function<void(const SavedCheckpoint&)>& look) {
  const std::vector<std::int64_t> steps = checkpoint_files().steps(directory);
  if (steps.empty()) throw IoError(directory, "found no checkpoint");
  bool well = true;
  for (const std::int64_t step : steps) {
    try {
      look(*open_at({directory, step}));
    } catch (const Error& error) {
      std::printf("%s\n", error.what());
      well = false;
    }
  }
  return well;
}

bool list(const std::string& directory) {
  return for_each(directory, [](const SavedCheckpoint& saved) {
    std::printf("%s: %s, %d shard%s, %.1f MB of state\n", saved.path().c_str(), place_in_run(saved).c_str(),
                saved.shards(), saved.shards() == 1 ? "" : "s", static_cast<double>(bytes_of(saved)) / 1e6);
  });
}

bool verify_all(const std::string& path) {
  const auto check = [](const SavedCheckpoint& saved) {
    verify(saved);
    std::printf("%s: whole\n", saved.path().c_str());
  };
  if (!step_of_name(std::filesystem::path(path).filename())) return for_each(path, check);
  check(*open_at(place_of(path)));
  return true;
}

bool show(const std::string& path) {
  const auto saved = open_at(place_of(path));
  const Config& description = saved->description();
  const Config& provenance = description.get("provenance");
  std::printf("%s: %s\n", saved->path().c_str(), place_in_run(*saved).c_str());
  const auto print = [](const char* title, const Config& config) {
    if (!config.is_object()) return;
    std::printf("\n%s\n", title);
    for (const auto& [name, value] : config.as_object()) {
      std::printf("  %s = %s\n", name.c_str(), value.to_json().c_str());
    }
  };
  print("the run", description.at("run").at("plan"));
  print("where it was computed", provenance);
  std::printf("\nhistory\n");
  for (const Config& log : description.at("run").at("history").at("logs").as_list()) {
    std::printf("  %s = %s\n", log.as_list().at(0).as_string().c_str(), log.as_list().at(1).to_json().c_str());
  }
  std::printf("\ntensors\n");
  for (const StateTensor& tensor : saved->tensors()) {
    std::printf("  %s %s\n", tensor.name.c_str(), tensor.spec.str().c_str());
  }
  return true;
}

std::string bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.eval().data()), tensor.spec().bytes()};
}

/// The largest distance of two elements, as numbers.
double distance(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = ops::cast(a, Dtype::float64).to_vector<double>();
  const std::vector<double> y = ops::cast(b, Dtype::float64).to_vector<double>();
  double most = 0;
  for (std::size_t i = 0; i < x.size(); ++i) most = std::max(most, std::abs(x[i] - y[i]));
  return most;
}

/// Prints the members of two objects that differ, at any depth.
int print_differences(const std::string& place, const Config& a, const Config& b) {
  if (a == b) return 0;
  if (!a.is_object() || !b.is_object()) {
    std::printf("%s: %s, %s\n", place.c_str(), a.to_json().c_str(), b.to_json().c_str());
    return 1;
  }
  int count = 0;
  for (const auto& [name, value] : a.as_object()) count += print_differences(place + "." + name, value, b.get(name));
  for (const auto& [name, value] : b.as_object()) {
    if (!a.contains(name)) count += print_differences(place + "." + name, {}, value);
  }
  return count;
}

bool diff(const std::string& first, const std::string& second) {
  const auto a = open_at(place_of(first)), b = open_at(place_of(second));
  std::map<std::string, std::size_t> of_b;
  for (std::size_t i = 0; i < b->tensors().size(); ++i) of_b[b->tensors()[i].name] = i;
  int count = 0;
  for (std::size_t i = 0; i < a->tensors().size(); ++i) {
    const StateTensor& tensor = a->tensors()[i];
    const auto found = of_b.find(tensor.name);
    if (found == of_b.end()) {
      std::printf("%s: only in %s\n", tensor.name.c_str(), a->path().c_str());
      ++count;
      continue;
    }
    const TensorSpec& other = b->tensors()[found->second].spec;
    if (other != tensor.spec) {
      std::printf("%s: %s, %s\n", tensor.name.c_str(), tensor.spec.str().c_str(), other.str().c_str());
      ++count;
    } else {
      const Tensor x = a->read(i), y = b->read(found->second);
      if (bytes_of(x) != bytes_of(y)) {
        std::printf("%s: differs by up to %g\n", tensor.name.c_str(), distance(x, y));
        ++count;
      }
    }
    of_b.erase(found);
  }
  for (const auto& [name, number] : of_b) {
    std::printf("%s: only in %s\n", name.c_str(), b->path().c_str());
    ++count;
  }
  for (const char* part : {"position", "run", "model", "training"}) {
    count += print_differences(part, a->description().get(part), b->description().get(part));
  }
  if (count == 0) std::printf("equal bits\n");
  return count == 0;
}

/// All tensors, by their names, and the description as text.
void export_arrays(const SavedCheckpoint& saved, const std::string& file) {
  Hdf5Writer writer(file);
  writer.write_text("/", "description", saved.description().to_json(), true);
  for (std::size_t i = 0; i < saved.tensors().size(); ++i) {
    const std::string& name = saved.tensors()[i].name;
    const std::size_t slash = name.find('/');
    std::string rest = name.substr(slash + 1);
    std::replace(rest.begin(), rest.end(), '/', '.');
    writer.write_array(name.substr(0, slash), rest, saved.read(i));
  }
  writer.commit();
}

/// The model with its weights, as Model::save writes it.
void export_keras(const SavedCheckpoint& saved, const std::string& file) {
  const Config& described = saved.description().at("model");
  if (described.is_null()) {
    throw ConfigError("the model is a subclassed one, which has no description: export it without --keras");
  }
  Model model = model_from_config(described);
  const std::vector<Variable> weights = model.weights();
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i].assign(saved.read(i));
  model.save(file);
}

bool export_to(const std::string& path, const std::string& file, bool keras) {
  const auto saved = open_at(place_of(path));
  verify(*saved);
  if (keras) export_keras(*saved, file);
  else export_arrays(*saved, file);
  std::printf("%s: written\n", file.c_str());
  return true;
}

/// Parses the command line; returns what to do.
std::function<bool()> parse(CLI::App& app, int argc, char** argv) {
  auto first = std::make_shared<std::string>(), second = std::make_shared<std::string>();
  auto keras = std::make_shared<bool>(false);
  app.require_subcommand(1);
  CLI::App* lists = app.add_subcommand("list", "The checkpoints of a directory, and where they stand");
  lists->add_option("DIRECTORY", *first)->required();
  CLI::App* verifies = app.add_subcommand("verify", "Read every byte of a checkpoint, or of all of a directory");
  verifies->add_option("CHECKPOINT", *first)->required();
  CLI::App* shows = app.add_subcommand("show", "What a checkpoint holds, and where it was computed");
  shows->add_option("CHECKPOINT", *first)->required();
  CLI::App* diffs = app.add_subcommand("diff", "What differs between two checkpoints, bit by bit");
  diffs->add_option("A", *first)->required();
  diffs->add_option("B", *second)->required();
  CLI::App* exports = app.add_subcommand("export", "Write a checkpoint to a single HDF5 file, one array a tensor");
  exports->add_option("CHECKPOINT", *first)->required();
  exports->add_option("FILE", *second)->required();
  exports->add_flag("--keras", *keras, "The model alone, as a file that Keras loads: FILE ends with .h5");
  app.parse(argc, argv);
  if (lists->parsed()) return [first] { return list(without_slashes(*first)); };
  if (verifies->parsed()) return [first] { return verify_all(without_slashes(*first)); };
  if (shows->parsed()) return [first] { return show(without_slashes(*first)); };
  if (diffs->parsed()) return [first, second] { return diff(without_slashes(*first), without_slashes(*second)); };
  return [first, second, keras] { return export_to(without_slashes(*first), *second, *keras); };
}

}  // namespace
}  // namespace strata

int main(int argc, char** argv) {
  CLI::App app(strata::kDescription, "checkpoint");
  std::function<bool()> command;
  try {
    command = strata::parse(app, argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  try {
    strata::Session session;  // of one rank, whatever started the program
    const strata::SessionScope scope(session);
    return command() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
