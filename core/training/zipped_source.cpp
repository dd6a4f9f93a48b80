// SPDX-License-Identifier: Apache-2.0
#include "core/training/zipped_source.h"

#include "core/base/error.h"

namespace strata {
namespace {

class ZippedSource final : public SampleSource {
 public:
  ZippedSource(const std::vector<NamedSource>& x, const std::vector<NamedSource>& y,
               const std::vector<NamedSource>& sample_weight) {
    for (const NamedSource& source : x) add(source, specs_.x);
    for (const NamedSource& source : y) add(source, specs_.y);
    for (const NamedSource& source : sample_weight) add(source, specs_.sample_weight);
    if (sources_.empty()) throw ConfigError("Dataset::zip: expected at least one source, received none");
  }

  Dim rows() const override { return sources_[0]->rows(); }
  const SampleSpecs& specs() const override { return specs_; }
  std::string name() const override { return sources_[0]->name(); }
  /// That of the source in chunks, or of the first one of several: the others have to follow it.
  ChunkLayout chunks() const override {
    for (const auto& source : sources_) {
      ChunkLayout layout = source->chunks();
      if (layout.rows > 1) return layout;
    }
    return {};
  }
  std::int64_t bytes_read() const override {
    std::int64_t bytes = 0;
    for (const auto& source : sources_) bytes += source->bytes_read();
    return bytes;
  }
  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    std::size_t first = 0;
    for (const auto& source : sources_) {
      std::vector<std::byte*> own(source->specs().all().size(), nullptr);
      const std::size_t count = source->specs().x.size();
      for (std::size_t k = 0; k < count; ++k) own[k] = to[first + k];
      first += count;
      source->read(samples, own);
    }
  }

 private:
  void add(const NamedSource& named, std::vector<SampleArray>& specs) {
    const SampleSourceRef& source = named.source;
    if (!sources_.empty() && source->rows() != rows()) {
      throw ConfigError("Dataset::zip: expected as many samples in each, received " + std::to_string(rows()) + " in " +
                        name() + " and " + std::to_string(source->rows()) + " in " + source->name());
    }
    for (SampleArray array : source->specs().x) {
      if (!named.name.empty()) array.name = named.name;
      specs.push_back(std::move(array));
    }
    sources_.push_back(source);
  }

  SampleSpecs specs_;
  std::vector<SampleSourceRef> sources_;
};

}  // namespace

SampleSourceRef make_zipped_source(const std::vector<NamedSource>& x, const std::vector<NamedSource>& y,
                                   const std::vector<NamedSource>& sample_weight) {
  return std::make_shared<ZippedSource>(x, y, sample_weight);
}

}  // namespace strata
