// SPDX-License-Identifier: Apache-2.0
#include "io/checkpoint/manifest.h"

#include <algorithm>
#include <exception>

#include "core/base/error.h"
#include "io/checkpoint/checksum.h"

namespace strata {
namespace {

const std::string kFormat = "strata checkpoint";
const std::string kBeforeChecksum = ", \"xxh3\": \"", kAfterChecksum = "\"}\n";

Config tensor_config(const StateTensor& tensor) {
  return Config::object({{"name", tensor.name},
                         {"dtype", std::string(to_string(tensor.spec.dtype))},
                         {"shape", Config(tensor.spec.shape)}});
}

Config piece_config(const ManifestPiece& piece) {
  return Config::object({{"tensor", piece.tensor},
                         {"first", piece.first},
                         {"count", piece.count},
                         {"array", piece.array},
                         {"offset", piece.offset},
                         {"xxh3", piece.checksum}});
}

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw IoError(path, "the manifest of the checkpoint is damaged: " + what);
}

std::uint64_t unsigned_at(const Config& config, const char* key) {
  const std::int64_t value = config.at(key).as_int();
  if (value < 0) throw ConfigError(std::string(key) + " is negative");
  return static_cast<std::uint64_t>(value);
}

StateTensor tensor_of(const Config& config) {
  StateTensor tensor{config.at("name").as_string(),
                     {config.at("shape").as_shape(), dtype_from_string(config.at("dtype").as_string())}};
  if (!tensor.spec.shape.is_known()) throw ConfigError("the shape of " + tensor.name + " is not known");
  return tensor;
}

ManifestShard shard_of(const Config& config) {
  ManifestShard shard{config.at("file").as_string(), unsigned_at(config, "bytes"), config.at("xxh3").as_string(), {}};
  if (shard.file.empty() || shard.file.find('/') != std::string::npos) throw ConfigError("a file has no proper name");
  for (const Config& piece : config.at("pieces").as_list()) {
    shard.pieces.push_back({unsigned_at(piece, "tensor"), static_cast<Dim>(unsigned_at(piece, "first")),
                            static_cast<Dim>(unsigned_at(piece, "count")), piece.at("array").as_string(),
                            unsigned_at(piece, "offset"), piece.at("xxh3").as_string()});
  }
  return shard;
}

/// Throws ConfigError when two arrays of a file share bytes.
void check_places(const Manifest& manifest, const ManifestShard& shard) {
  std::vector<const ManifestPiece*> pieces;
  for (const ManifestPiece& piece : shard.pieces) {
    if (piece.count > 0) pieces.push_back(&piece);
  }
  std::sort(pieces.begin(), pieces.end(), [](const auto* a, const auto* b) { return a->offset < b->offset; });
  std::uint64_t end = 0;
  for (const ManifestPiece* piece : pieces) {
    if (piece->offset < end) throw ConfigError(piece->array + " begins within another array");
    const std::size_t element = size_of(manifest.tensors[piece->tensor].spec.dtype);
    end = piece->offset + static_cast<std::uint64_t>(piece->count) * element;
  }
}

/// Throws ConfigError unless each element of each tensor is in one piece.
void check_pieces(const Manifest& manifest) {
  std::vector<std::vector<const ManifestPiece*>> of_tensors(manifest.tensors.size());
  for (const ManifestShard& shard : manifest.shards) {
    for (const ManifestPiece& piece : shard.pieces) {
      const std::size_t element = size_of(manifest.tensors.at(piece.tensor).spec.dtype);
      const std::uint64_t room = piece.offset > shard.bytes ? 0 : (shard.bytes - piece.offset) / element;
      if (static_cast<std::uint64_t>(piece.count) > room) throw ConfigError(piece.array + " is longer than its file");
      of_tensors[piece.tensor].push_back(&piece);
    }
  }
  for (const ManifestShard& shard : manifest.shards) check_places(manifest, shard);
  for (std::size_t t = 0; t < of_tensors.size(); ++t) {
    auto& pieces = of_tensors[t];
    std::sort(pieces.begin(), pieces.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    const StateTensor& tensor = manifest.tensors[t];
    const Dim elements = tensor.spec.shape.elements();
    Dim next = 0;
    for (const ManifestPiece* piece : pieces) {
      if (piece->first != next || piece->count > elements - next) break;
      next += piece->count;
    }
    if (next != elements) throw ConfigError("the pieces of " + tensor.name + " are not all of it");
  }
}

Manifest manifest_of(const Config& config) {
  Manifest manifest;
  manifest.step = config.at("step").as_int();
  manifest.description = config.at("description");
  for (const Config& tensor : config.at("tensors").as_list()) manifest.tensors.push_back(tensor_of(tensor));
  for (const Config& shard : config.at("shards").as_list()) manifest.shards.push_back(shard_of(shard));
  check_pieces(manifest);
  return manifest;
}

/// What comes before the checksum, once that is found to be right.
std::string checked_text(const std::string& path, const std::string& text) {
  const std::size_t tail = kBeforeChecksum.size() + kChecksumDigits + kAfterChecksum.size();
  if (text.size() < tail) refuse(path, "expected more than " + std::to_string(text.size()) + " bytes");
  const std::string body = text.substr(0, text.size() - tail);
  const std::string found = checksum(std::as_bytes(std::span(body)));
  if (text.substr(body.size()) == kBeforeChecksum + found + kAfterChecksum) return body + "}";
  refuse(path, "its bytes have another checksum than when it was written");
}

}  // namespace

Config shard_config(const ManifestShard& shard) {
  Config::List pieces;
  for (const ManifestPiece& piece : shard.pieces) pieces.push_back(piece_config(piece));
  return Config::object(
      {{"file", shard.file}, {"bytes", shard.bytes}, {"xxh3", shard.checksum}, {"pieces", std::move(pieces)}});
}

std::string manifest_text(std::int64_t step, const Config& description, const std::vector<StateTensor>& tensors,
                          const std::vector<Config>& shards) {
  Config::List list;
  for (const StateTensor& tensor : tensors) list.push_back(tensor_config(tensor));
  std::string body = Config::object({{"format", kFormat},
                                     {"version", kManifestVersion},
                                     {"step", step},
                                     {"description", description},
                                     {"tensors", std::move(list)},
                                     {"shards", shards}})
                         .to_json();
  body.pop_back();  // its closing brace
  return body + kBeforeChecksum + checksum(std::as_bytes(std::span(body))) + kAfterChecksum;
}

Manifest read_manifest(const std::string& path, const std::string& text) {
  const std::string body = checked_text(path, text);
  std::int64_t version = kManifestVersion;
  try {
    const Config config = Config::from_json(body);
    if (config.at("format") != Config(kFormat)) throw ConfigError("it is not one of a " + kFormat);
    version = config.at("version").as_int();
    if (version <= kManifestVersion) return manifest_of(config);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    refuse(path, error.what());
  }
  throw ConfigError(path + ": the checkpoint has format version " + std::to_string(version) +
                    ", which a later Strata wrote; this one reads up to version " + std::to_string(kManifestVersion));
}

}  // namespace strata
