// SPDX-License-Identifier: Apache-2.0
// What the Keras guide "The functional API" shows, row by row of a list of its observations; each is a short example.
// Rows that a test elsewhere checks:
//    1  names restart                     SessionTest.NumbersNamesFromZeroAndInputsFromOne
//    9  the first table                   Guide.MnistMlpPrintsTheGuidesTable, SummaryTest.TheFirstModelOfTheGuide
//   10  the first picture                 PlotTest.AChainOfLayers, tests/io/plot_file_test.cpp
//   11  with shapes                       PlotTest.LabelsWithShapesAndDtypes
//   12  MNIST                             Mnist.*, FashionMnist.LoadsTheRealSet; below, ImagesBecomeRows
//   14  training on images                MnistMlpTest.PrintsWhatKerasPrints, EqualRunsTest.AnEpochOfRealImages
//   16  test scores are printed           MnistMlpTest.PrintsWhatKerasPrints
//   18  one file, as Keras writes it      SavedByKeras.*, tests/lab/keras_files.py
//   19  the encoder's table               Guide.AutoencoderPrintsTheGuidesTables
//   20  two models on one graph           the same, ModelGraphTest.SharesLayersAndWeightsBetweenModelsOnOneGraph
//   22  models within a model: tables     the same
//   24  the ensemble                      ModelGraphTest.CallsModelsAsLayers, Guide.EnsembleAverages
//   25  the tickets' model                ModelGraphTest.OrdersTheLayersOfTheTicketModelAsKerasDoes,
//   Guide.TicketRouter* 26  its picture                       PlotTest.SeveralInputsAndOutputs 29  training by names
//   Guide.TicketRouterTrainsOnRandomTickets 30  and on datasets Guide.TicketsAsListsNamesOrDatasetTrainEqually 32  the
//   residual model                Guide.ToyResnetPrintsTheGuidesTable 33  its picture
//   PlotTest.ConnectionsThatSkipLayers 34  CIFAR-10                          tests/io/cifar10_test.cpp 35  training on
//   it                    ToyResnetTest.* 36  one embedding for two texts       Guide.SharedEmbeddingIsOneWeight,
//   ModelGraphTest.FindsOutputsByCall 37  VGG19                             tests/layers/applications_test.cpp 38  the
//   outputs of all its layers     the example vgg19_features; below, EveryLayersOutputMayBeAModelsOutput 39  features
//   of an image              the same 43  functional or subclassed          OwnModels.MlpSubclassed,
//   SubclassedTest.TrainsAsTheFunctionalModelWithItsWeights 44  mistakes are found while defining CallMessages.*,
//   ModelMessages.*, ArgumentMessages.* 47  what no graph can be              OwnModels.TreeRnn,
//   ModelFiles.ASubclassedModelKeepsItsWeightsAlone 48  a model within a layer            OwnModels.CustomRnn 50  and
//   that layer within a model     the same
// Rows 2 to 8, 21, 23, 31 and 45 are here, the others in guide_training_test.cpp and guide_extension_test.cpp.
#include <gtest/gtest.h>

#include "strata/strata.h"

namespace strata {
namespace {

using Names = std::vector<std::string>;

class GuideObservations : public ::testing::Test {
 protected:
  static Names names_of(const Model& model) {
    Names names;
    for (const LayerRef& layer : model.layers()) names.push_back(layer.name());
    return names;
  }
  static Model mnist_model() {
    const auto inputs = Input({784});
    auto x = layers::Dense(64, {.activation = "relu"})(inputs);
    x = layers::Dense(64, {.activation = "relu"})(x);
    return {inputs, layers::Dense(10)(x), "mnist_model"};
  }

 private:
  Session session_;
  SessionScope scope_{session_};
};

// Rows 2 to 5.
TEST_F(GuideObservations, AnInputHasAShapeADtypeAndAName) {
  const auto inputs = Input({784});
  EXPECT_EQ(inputs.shape(), (Shape{None, 784})) << "the batch comes first, and has any size";
  EXPECT_EQ(inputs.shape().str(), "(None, 784)");
  EXPECT_EQ(inputs.dtype(), Dtype::float32);
  const auto img_inputs = Input({32, 32, 3});
  EXPECT_EQ(img_inputs.shape().str(), "(None, 32, 32, 3)");
  const Model both({inputs, img_inputs}, {inputs, img_inputs});
  EXPECT_EQ(both.graph().input_names(), (Names{"input_1", "input_2"}));
}

// Rows 6 and 7.
TEST_F(GuideObservations, CallingALayerDrawsAnArrowAndMakesItsWeights) {
  const auto inputs = Input({784});
  const layers::Dense dense(64, {.activation = "relu"});
  EXPECT_TRUE(dense.weights().empty());
  auto x = dense(inputs);
  EXPECT_TRUE(x.is_symbolic());
  EXPECT_EQ(x.shape(), (Shape{None, 64}));
  EXPECT_TRUE(dense.get_input_at(0).same_as(inputs));
  EXPECT_TRUE(dense.get_output_at(0).same_as(x));
  ASSERT_EQ(dense.weights().size(), 2u);
  EXPECT_EQ(dense.weights()[0].shape(), (Shape{784, 64}));
  EXPECT_EQ(dense.weights()[1].shape(), Shape{64});

  x = layers::Dense(64, {.activation = "relu"})(x);
  const layers::Dense last(10);
  EXPECT_EQ(last(x).shape(), (Shape{None, 10}));
  EXPECT_EQ(last.get_config().at("activation").as_string(), "linear");
}

// Row 8.
TEST_F(GuideObservations, AModelIsWhatLiesBetweenItsInputsAndOutputs) {
  const Model model = mnist_model();
  EXPECT_EQ(model.name(), "mnist_model");
  EXPECT_EQ(names_of(model), (Names{"input_1", "dense", "dense_1", "dense_2"}));
  EXPECT_EQ(model.weights().size(), 6u);
  EXPECT_EQ(model.count_params(), 55'050);
}

// Row 21.
TEST_F(GuideObservations, TheDecoderUndoesTheShapesOfTheEncoder) {
  auto x = layers::Reshape({4, 4, 1})(Input({16}));
  std::vector<Dim> sides{x.shape()[1]};
  const auto then = [&](const LayerRef& layer) {
    x = layer(x);
    EXPECT_EQ(x.shape()[1], x.shape()[2]);
    sides.push_back(x.shape()[1]);
  };
  then(layers::Conv2DTranspose(16, 3, {.activation = "relu"}));
  then(layers::Conv2DTranspose(32, 3, {.activation = "relu"}));
  then(layers::UpSampling2D(3));
  then(layers::Conv2DTranspose(16, 3, {.activation = "relu"}));
  then(layers::Conv2DTranspose(1, 3, {.activation = "relu"}));
  EXPECT_EQ(sides, (std::vector<Dim>{4, 6, 8, 24, 26, 28}));

  auto y = Input({28, 28, 1});
  y = layers::Conv2D(32, 3)(layers::Conv2D(16, 3)(y));
  y = layers::Conv2D(16, 3)(layers::Conv2D(32, 3)(layers::MaxPooling2D(3)(y)));
  EXPECT_EQ(y.shape().str(), "(None, 4, 4, 16)");
}

// Row 23.
TEST_F(GuideObservations, CallingAModelReusesItsWeights) {
  const auto image = Input({8});
  const Model encoder(image, layers::Dense(2)(image), "encoder");
  const auto code = Input({2});
  const Model decoder(code, layers::Dense(8)(code), "decoder");
  const auto inputs = Input({8});
  const Model autoencoder(inputs, decoder(encoder(inputs)), "autoencoder");
  const Model again(inputs, decoder(encoder(decoder(encoder(inputs)))), "twice");

  EXPECT_EQ(autoencoder.trainable_weights().size(), 4u);
  EXPECT_EQ(again.trainable_weights().size(), 4u) << "called twice, not made twice";
  EXPECT_EQ(autoencoder.count_params(), encoder.count_params() + decoder.count_params());

  const Tensor x = ops::ones({1, 8});
  const auto before = autoencoder(x).to_vector<float>();
  encoder.set_weights({ops::zeros({8, 2}), ops::zeros({2})});
  EXPECT_NE(autoencoder(x).to_vector<float>(), before);
  EXPECT_EQ(autoencoder(x).to_vector<float>(), decoder(ops::zeros({1, 2})).to_vector<float>());
}

// Row 31.
TEST_F(GuideObservations, TextsMayHaveAnyLength) {
  const auto title = Input({None}, {.name = "title"});
  const auto body = Input({None}, {.name = "body"});
  EXPECT_EQ(title.shape().str(), "(None, None)");
  const auto title_features = layers::LSTM(8)(layers::Embedding(100, 4)(title));
  const auto body_features = layers::LSTM(4)(layers::Embedding(100, 4)(body));
  const auto x = layers::concatenate({title_features, body_features});
  Model model({title, body}, {layers::Dense(1, {.name = "priority"})(x)});

  const auto words = [](Dim texts, Dim length) { return ops::full({texts, length}, 7); };
  EXPECT_EQ(model.predict({words(5, 10), words(5, 100)}).shape(), (Shape{5, 1}));
  EXPECT_EQ(model.predict({words(3, 4), words(3, 21)}).shape(), (Shape{3, 1}));
}

// Row 38, on a model of ordinary size.
TEST_F(GuideObservations, EveryLayersOutputMayBeAModelsOutput) {
  const Model model = mnist_model();
  std::vector<Tensor> features_list;
  for (const LayerRef& layer : model.layers()) features_list.push_back(layer.output());
  const Model features({model.graph().inputs()}, features_list);

  const Tensor x = ops::ones({2, 784});
  const auto all = features.call({x});
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].to_vector<float>(), x.to_vector<float>()) << "the first is the input itself";
  EXPECT_EQ(all[1].shape(), (Shape{2, 64}));
  EXPECT_EQ(all[3].to_vector<float>(), model(x).to_vector<float>());
  EXPECT_EQ(features.weights(), model.weights()) << "nothing new was made";
}

// Row 45.
TEST_F(GuideObservations, AModelIsDataThatCanBeLookedAt) {
  const Model model = mnist_model();
  EXPECT_EQ(model.get_layer("dense_1").count_params(), 4160);
  EXPECT_EQ(model.get_layer(1).name(), "dense");
  EXPECT_EQ(model.get_layer("dense_2").output_shape(), (Shape{None, 10}));
  EXPECT_TRUE(model.get_layer("dense_1").input().same_as(model.get_layer("dense").output()));

  Names calls;
  for (const ModelNode& call : model.graph().model_nodes()) {
    for (const Tensor& input : call.node->inputs()) {
      calls.push_back(layer_op(input)->layer()->name() + " -> " + call.layer.name());
    }
  }
  EXPECT_EQ(calls, (Names{"input_1 -> dense", "dense -> dense_1", "dense_1 -> dense_2"}));
  EXPECT_EQ(model.get_config().at("layers").as_list().at(1).at("config").at("units").as_int(), 64);
}

}  // namespace
}  // namespace strata
