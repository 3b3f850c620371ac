// Keeps what is marked sensitive out of the descriptions, keys and labels of steps. Private to the room.
#pragma once

#include <span>

#include "plan/plan.h"

namespace kiln::plan {

class Seal {
 public:
  /// own: sensitive texts of the component that a step comes from; those of the whole template are in world, which must
  /// outlive the seal.
  explicit Seal(const Surroundings& world, std::span<const std::string> own = {});

  /// Whether a secret stands in a text, or in any text of a value.
  bool hides(std::string_view text) const;
  bool hides(const Json& value) const;

  /// What stands for a text instead of it: a hash with the store's key, so that nobody else can check a guess.
  std::string sealed(std::string_view text) const { return "sealed:" + world_.seal(text); }
  /// The hash of a text, sealed where a secret stands in it: a bare hash of little text can be guessed.
  std::string fingerprint(std::string_view text) const;
  /// A value as JSON, sealed where a secret stands in it.
  std::string rendered(const Json& value) const;
  std::string value_of(const EnvVar& var) const { return var.sensitive ? sealed(var.value) : var.value; }

  /// For people: "<sensitive>" in place of each secret. One below 4 characters stays: it would blot out ordinary words.
  std::string masked(std::string_view text) const;

 private:
  const Surroundings& world_;
  std::vector<std::string> texts_;  // longest first
};

}  // namespace kiln::plan
