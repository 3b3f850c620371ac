// The names that an expression can see: var, local, path ... and the variables of for expressions around it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "template/value.h"

namespace kiln::tmpl {

class Scope {
 public:
  Scope() = default;
  /// Inside another scope, which must outlive this one.
  explicit Scope(const Scope& outer) : outer_(&outer) {}
  /// Inside another scope, which is kept alive.
  explicit Scope(std::shared_ptr<const Scope> outer) : outer_(outer.get()), keep_(std::move(outer)) {}
  void set(const std::string& name, Value value) { names_[name] = std::move(value); }
  const Value* find(const std::string& name) const {
    for (const Scope* s = this; s != nullptr; s = s->outer_) {
      if (const auto it = s->names_.find(name); it != s->names_.end()) return &it->second;
    }
    return nullptr;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Scope* s = this; s != nullptr; s = s->outer_) {
      for (const auto& [name, value] : s->names_) all.push_back(name);
    }
    return all;
  }

 private:
  std::map<std::string, Value> names_;
  const Scope* outer_ = nullptr;
  std::shared_ptr<const Scope> keep_;
};

}  // namespace kiln::tmpl
