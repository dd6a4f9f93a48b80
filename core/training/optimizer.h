// SPDX-License-Identifier: Apache-2.0
// Optimizers: a rule from (variable, gradient, slots) to (variable, slots), written in ops and compiled, and what
// Keras' base class does around it: clipping, weight decay, accumulation, averages.
//
// Where state lives. A slot has one buffer for all variables of a dtype (FlatState), in which every variable has its
// place; slots in the variables' shapes have the offsets of the variables themselves. So a checkpoint is a copy of
// ranges, and a rank of a sharded optimizer (each updates and keeps a part of the state) owns sub-ranges of all
// buffers: any cut at cache lines will do for an elementwise rule; rules with norms, and rules of whole variables, get
// whole variables (core/training/optimizer_shares.h). Numbers that belong to no variable (OptimizerRule::scalars) are
// kept by every rank.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/tensor/node.h"
#include "core/tensor/variable.h"
#include "core/training/learning_rate.h"

namespace strata {

class EagerUpdate;
class LayerRef;

/// What an update sees: a part of the state, in tensors of one floating dtype, and the step's numbers, scalars of that
/// dtype.
struct UpdateInputs {
  Tensor variable;
  Tensor gradient;            // after clipping
  std::vector<Tensor> slots;  // in the order of OptimizerRule::slots(); empty handles where the variable has none
  Tensor learning_rate;
  Tensor iteration;             // int64 scalar: updates done before this one
  std::vector<Tensor> scalars;  // in the order of OptimizerRule::scalars()
  Tensor variable_norm;         // Euclidean, of the whole variable; for UpdateScope::norms
  Tensor direction_norm;        // likewise of what direction() gave
  Variable whole;               // for UpdateScope::variable: which variable it is
};

/// What a rule must see at once.
enum class UpdateScope {
  elementwise,  // single elements: `variable` is a range, 1-D, of one or several variables
  norms,        // likewise, with norms of whole variables
  variable,     // a whole variable, in its shape
};

/// A value kept for every variable.
struct SlotSpec {
  std::string name;  // Keras' name: "velocity"
  double initial = 0.0;
  /// Keras writes the slots of one group variable by variable, and groups one after the other.
  int group = 0;
  /// The slot's shape for a variable, none when it has no such slot; null = the variable's own. Other shapes than that
  /// are for UpdateScope::variable.
  std::function<std::optional<Shape>(const Variable&)> shape = nullptr;
};

/// A number that belongs to no variable.
struct ScalarSpec {
  std::string name;
  double initial = 0.0;
};

/// What a user derives from to write an optimizer. Immutable; thread-safe.
class OptimizerRule {
 public:
  virtual ~OptimizerRule() = default;
  /// The Keras class name: "RMSprop".
  virtual std::string class_name() const = 0;
  /// The constructor's arguments under Keras' names, without those that all optimizers have.
  virtual Config config() const = 0;
  virtual UpdateScope scope() const { return UpdateScope::elementwise; }
  /// Whether elements whose gradient is 0 keep their value and their slots to the bit, so that a step may leave out
  /// what it has not touched.
  virtual bool ignores_zero_gradients() const { return false; }
  virtual std::vector<SlotSpec> slots() const { return {}; }
  virtual std::vector<ScalarSpec> scalars() const { return {}; }
  /// Changes the scalars before update number `iteration`. Allocates nothing.
  virtual void advance(std::span<double> /*scalars*/, std::int64_t /*iteration*/) const {}
  /// The share of a variable that decays with every step of rate 1; none = no decay. By default what the user asked
  /// for.
  virtual std::optional<double> weight_decay(std::optional<double> asked, const Variable&) const { return asked; }
  /// For UpdateScope::norms, called before update(): what update() will see as the gradient, then as the slots.
  /// Elementwise; by default both stay.
  virtual std::vector<Tensor> direction(const UpdateInputs& inputs) const;
  /// The new variable, then the new slots (empty handles where there are none). Elementwise unless scope() is variable,
  /// so that any cut of the ranges gives the same bits.
  virtual std::vector<Tensor> update(const UpdateInputs& inputs) const = 0;
};

/// What every optimizer takes beside its own options, as Keras' base class:
/// `optimizers::Adam({.learning_rate = 1e-3}, {.weight_decay = 0.01, .clipnorm = 1.0})`.
struct OptimizerOptions {
  std::optional<double> weight_decay = {};     // w -= w weight_decay lr before each update
  std::optional<double> clipnorm = {};         // the largest norm of the gradient of one variable
  std::optional<double> clipvalue = {};        // the largest magnitude of an element of a gradient
  std::optional<double> global_clipnorm = {};  // the largest norm of all gradients together
  bool use_ema = false;  // averages the variables: a = ema_momentum a + (1 - ema_momentum) w after each step
  double ema_momentum = 0.99;
  std::optional<int> ema_overwrite_frequency = {};      // steps after which w takes the value of a; none = after fit
  std::optional<double> loss_scale_factor = {};         // the loss is multiplied, the gradients are divided by it
  std::optional<int> gradient_accumulation_steps = {};  // steps whose mean gradient makes one update
  std::string name = {};                                // "" = the class name in snake case: "adam"
};

/// How a LossScaleOptimizer moves the factor of the loss.
struct LossScaleOptions {
  double initial_scale = 32768.0;
  std::int64_t dynamic_growth_steps = 2000;
  std::string name = "";  // "" = "loss_scale_optimizer"
};

/// A handle on an optimizer and its learning rate; also made from a Keras name such as "rmsprop". Copies mean the same
/// optimizer: a rate set on one holds for all, and for the model compiled with it. Used from one thread.
class Optimizer {
 public:
  Optimizer() = default;
  /// Throws ConfigError, with Keras' texts, for options that are out of range or exclude each other.
  Optimizer(std::shared_ptr<const OptimizerRule> rule, LearningRate learning_rate, OptimizerOptions options = {});
  /// In any case of letters. Throws ConfigError "Could not interpret optimizer identifier: x".
  Optimizer(const char* name) : Optimizer(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Optimizer(const std::string& name);                            // NOLINT(google-explicit-constructor)
  /// Reads a name or what config() wrote; also what tf.keras 2 wrote. Throws ConfigError for unknown classes and
  /// arguments.
  static Optimizer from_config(const Config& config);

  const OptimizerRule& operator*() const { return *state_->rule; }
  const OptimizerRule* operator->() const { return state_->rule.get(); }
  explicit operator bool() const { return state_ != nullptr; }
  /// Whether both handles mean the same optimizer.
  friend bool operator==(const Optimizer& a, const Optimizer& b) = default;

  const OptimizerOptions& options() const { return state_->options; }
  const std::string& name() const { return state_->options.name; }
  /// Null unless it is a LossScaleOptimizer, which apart from that is its inner optimizer.
  const LossScaleOptions* loss_scaling() const { return loss_scaling_.get(); }
  /// This optimizer within a LossScaleOptimizer; see there.
  Optimizer with_loss_scaling(LossScaleOptions options) const;
  /// Whether gradients come multiplied by a factor.
  bool scales_loss() const { return loss_scaling_ != nullptr || options().loss_scale_factor; }

  /// The rate of the next step.
  double learning_rate() const { return state_->learning_rate.at(state_->steps); }
  bool follows_schedule() const { return state_->learning_rate.is_schedule(); }
  /// Throws ConfigError with Keras' text when the rate follows a schedule.
  void set_learning_rate(double learning_rate);

  /// Variables in whose path one of these regular expressions is found do not decay: {"bias", "gamma"}. Throws
  /// ConfigError once the optimizer has updated variables.
  void exclude_from_weight_decay(const std::vector<std::string>& var_names);
  /// The share of `variable` that decays with every step of rate 1; none = no decay.
  std::optional<double> weight_decay_of(const Variable& variable) const;

  /// Updates done so far: steps divided by gradient_accumulation_steps.
  std::int64_t iterations() const;
  /// Steps done so far: what schedules look at.
  std::int64_t steps() const { return state_->steps; }
  void set_steps(std::int64_t steps) const { state_->steps = steps; }
  /// All slots: averages and accumulated gradients when there are such, then those of the rule.
  std::vector<SlotSpec> slots() const;
  /// Where the rule's own begin in slots().
  std::size_t first_rule_slot() const;

  // In a training loop of one's own, see core/training/custom_loop.h.

  /// One step for the trainable weights of `model` (any layer), with the very rules of fit: clipping, decay, slots,
  /// averages, constraints, learning rate factors. `gradients`: one a weight, in the order of trainable_weights(); an
  /// empty one counts as zeros. Throws ConfigError when they are of another number, or when the weights are not those
  /// of the first call: a new model needs a new optimizer.
  void apply_gradients(const std::vector<Gradient>& gradients, const LayerRef& model) const;
  /// The loss times the factor by which apply_gradients divides the gradients; the loss itself when there is none.
  Tensor scale_loss(const Tensor& loss) const;
  /// With use_ema the weights that apply_gradients has updated take the values of their averages, as after fit.
  void finalize_variable_values() const;

  /// What Keras' optimizer.get_config() returns. Keras writes the float32 next to the learning rate.
  Config get_config() const;
  /// What Keras serialises: {"module", "class_name", "config", "registered_name"}.
  Config config() const;
  /// All that decides about an update, for comparing ranks.
  std::string describe() const;

 private:
  struct State {
    std::shared_ptr<const OptimizerRule> rule;
    LearningRate learning_rate;
    OptimizerOptions options;
    std::vector<std::string> not_decayed;
    std::int64_t steps = 0;
  };
  std::shared_ptr<State> state_;
  std::shared_ptr<const LossScaleOptions> loss_scaling_;
  std::shared_ptr<std::unique_ptr<EagerUpdate>> eager_;  // of apply_gradients; null within it
};

/// Makes an optimizer class of one's own known to Optimizer::from_config and by name; `from_config` gets what
/// get_config() returned, or an empty object. Thread-safe. Throws ConfigError when a class of that name is known
/// already.
void register_optimizer(const std::string& class_name, std::function<Optimizer(const Config& config)> from_config);

namespace optimizers {

struct SGDOptions {
  LearningRate learning_rate = 0.01;
  double momentum = 0.0;
  bool nesterov = false;
};
struct RMSpropOptions {
  LearningRate learning_rate = 0.001;
  double rho = 0.9;
  double momentum = 0.0;
  double epsilon = 1e-7;
  bool centered = false;
};
struct AdamOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
};
struct AdagradOptions {
  LearningRate learning_rate = 0.001;
  double initial_accumulator_value = 0.1;
  double epsilon = 1e-7;
};
struct AdadeltaOptions {
  LearningRate learning_rate = 0.001;
  double rho = 0.95;
  double epsilon = 1e-7;
};
/// Of Adamax, Nadam and Lamb.
struct AdamLikeOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
};
struct FtrlOptions {
  LearningRate learning_rate = 0.001;
  double learning_rate_power = -0.5;
  double initial_accumulator_value = 0.1;
  double l1_regularization_strength = 0.0;
  double l2_regularization_strength = 0.0;
  double l2_shrinkage_regularization_strength = 0.0;
  double beta = 0.0;
};
struct LionOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.99;
};
struct LARSOptions {
  LearningRate learning_rate = 0.01;
  double momentum = 0.9;
  double trust_coefficient = 0.001;
  double beta = 0.0;  // the paper's weight decay, within the trust ratio
  double epsilon = 0.0;
};
struct AdafactorOptions {
  LearningRate learning_rate = 0.001;
  double beta_2_decay = -0.8;
  double epsilon_1 = 1e-30;
  double epsilon_2 = 1e-3;
  double clip_threshold = 1.0;
  bool relative_step = true;
};
struct MuonOptions {
  LearningRate learning_rate = 0.001;
  double adam_beta_1 = 0.9;
  double adam_beta_2 = 0.999;
  std::optional<double> adam_weight_decay = 0.004;
  double epsilon = 1e-7;
  std::vector<std::string> exclude_layers = {};  // regular expressions: variables whose path has one use AdamW
  bool exclude_embeddings = true;
  double muon_a = 3.4445;
  double muon_b = -4.7750;
  double muon_c = 2.0315;
  double adam_lr_ratio = 1.0;
  double momentum = 0.95;
  int ns_steps = 5;
  bool nesterov = true;
  std::optional<double> rms_rate = 0.2;
};

// Formulas are those of Keras 3; w variable, g gradient, lr learning rate, t = 1, 2, ... the update's number.

/// w -= lr g; with momentum m: v = m v - lr g, w += v, nesterov w += m v - lr g. Throws ConfigError "`momentum` must be
/// a float between [0, 1].".
Optimizer SGD(const SGDOptions& options = {}, const OptimizerOptions& common = {});
/// v = rho v + (1 - rho) g^2; w -= lr g / sqrt(v + epsilon); centered subtracts the squared mean gradient under the
/// root. Throws ConfigError unless rho and momentum are in [0, 1] and epsilon is not negative.
Optimizer RMSprop(const RMSpropOptions& options = {}, const OptimizerOptions& common = {});
/// m += (g - m)(1 - b1); v += (g^2 - v)(1 - b2); w -= lr sqrt(1 - b2^t)/(1 - b1^t) m / (sqrt(v) + epsilon); amsgrad
/// divides by the largest v so far. Throws ConfigError unless both betas are in [0, 1) and epsilon is not negative,
/// here and below.
Optimizer Adam(const AdamOptions& options = {}, const OptimizerOptions& common = {});
/// Adam with a weight decay of 0.004 unless another is given.
Optimizer AdamW(const AdamOptions& options = {}, const OptimizerOptions& common = {});
/// a += g^2; w -= lr g / sqrt(a + epsilon).
Optimizer Adagrad(const AdagradOptions& options = {}, const OptimizerOptions& common = {});
/// a = rho a + (1 - rho) g^2; d = -g sqrt(b + epsilon) / sqrt(a + epsilon); b = rho b + (1 - rho) d^2; w += lr d.
Optimizer Adadelta(const AdadeltaOptions& options = {}, const OptimizerOptions& common = {});
/// m as Adam; u = max(b2 u, |g|); w -= lr m / ((1 - b1^t) (u + epsilon)).
Optimizer Adamax(const AdamLikeOptions& options = {}, const OptimizerOptions& common = {});
/// Adam with Nesterov momentum of the schedule u_t = b1 (1 - 0.96^t / 2) (Dozat 2016).
Optimizer Nadam(const AdamLikeOptions& options = {}, const OptimizerOptions& common = {});
/// "Follow the regularized leader" (McMahan et al. 2013), with the shrinkage of Keras. Throws ConfigError when a
/// strength or the initial accumulator is negative or the power is positive.
Optimizer Ftrl(const FtrlOptions& options = {}, const OptimizerOptions& common = {});
/// w -= lr sign(b1 m + (1 - b1) g); m = b2 m + (1 - b2) g (Chen et al. 2023). Throws ConfigError unless b1 is in (0,
/// 1].
Optimizer Lion(const LionOptions& options = {}, const OptimizerOptions& common = {});
/// d = the step of Adam for lr = 1, epsilon added after the correction of v; w -= lr |w| / |d| d, the norms being those
/// of a variable (You et al. 2019); where one is 0 the ratio is 1.
Optimizer Lamb(const AdamLikeOptions& options = {}, const OptimizerOptions& common = {});
/// For very large batches (You, Gitman and Ginsburg 2017, algorithm 1; not in Keras): with the norms of a variable,
/// v = momentum v + lr c (g + beta w), c = trust_coefficient |w| / (|g| + beta |w| + epsilon), where a norm is 0, 1;
/// w -= v. Throws ConfigError unless momentum is in [0, 1] and the others are not negative.
Optimizer LARS(const LARSOptions& options = {}, const OptimizerOptions& common = {});
/// Second moments of matrices as the product of a row and a column (Shazeer and Stern 2018).
Optimizer Adafactor(const AdafactorOptions& options = {}, const OptimizerOptions& common = {});
/// Matrices move along their momentum made nearly orthogonal (Jordan et al. 2024) with weight decay 0.004 unless
/// another is given; other variables, embeddings and excluded ones as by AdamW at adam_lr_ratio times the rate.
Optimizer Muon(const MuonOptions& options = {}, const OptimizerOptions& common = {});

/// Multiplies the loss, so that small gradients do not vanish in float16, and divides their sums by the same factor: at
/// first initial_scale, doubled after every dynamic_growth_steps steps in a row whose gradients are finite. A step
/// whose gradients are not changes nothing but the factor, which is halved. As in Keras the inner optimizer's
/// loss_scale_factor goes. Throws ConfigError unless the scale is finite and positive and the steps at least 1, and
/// when `inner` is one already.
Optimizer LossScaleOptimizer(const Optimizer& inner, const LossScaleOptions& options = {});

}  // namespace optimizers
}  // namespace strata
