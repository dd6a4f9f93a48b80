// SPDX-License-Identifier: Apache-2.0
// What the layer that CONTRIBUTING.md shows registers holds.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "layers/registry.h"
#include "tests/support/expect_error.h"

namespace strata {

void register_scale(LayerRegistry& registry);

namespace {

LayerEntry entry() {
  LayerRegistry registry;
  register_scale(registry);
  return registry.entries().at("Scale");
}

TEST(Contributing, TheExamplesAndTheConfigOfTheLayerWork) {
  for (const LayerExample& example : entry().examples) {
    SCOPED_TRACE(example.label);
    const LayerRef layer = example.make(Dtype::float32);
    EXPECT_EQ(layer(ops::ones(example.inputs[0])).shape(), example.inputs[0]);
    EXPECT_EQ(layer(Input({.batch_shape = example.inputs[0].with(0, None)})).shape(), example.inputs[0].with(0, None));
    EXPECT_EQ(entry().from_config(layer.get_config()).get_config(), layer.get_config());
  }
}

TEST(Contributing, TheLayerRefusesWhatItSays) {
  for (const LayerRefusal& refusal : entry().refusals) {
    const LayerRef layer = entry().from_config(Config::from_json(refusal.config));
    testing::expect_error<ShapeError>([&] { layer(Input({.batch_shape = refusal.inputs[0]})); }, refusal.text);
  }
}

}  // namespace
}  // namespace strata
