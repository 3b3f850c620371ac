// What the harnesses of templates share.
#pragma once

#include "fuzz/harness.h"
#include "template/test_world.h"

namespace kiln::fuzz {

inline tmpl::World world_of(std::string name, std::string text) {
  tmpl::World world = tmpl::world_of(std::move(name), std::move(text));
  world.max_steps = 100'000;  // what loops do beyond teaches nothing
  return world;
}

/// Loads the text as a template of this name and writes down what is wrong with it.
inline void load(const std::string& name, std::string text) {
  const tmpl::Loaded loaded = tmpl::load({.path = name}, world_of(name, std::move(text)));
  for (const tmpl::Diagnostic& d : loaded.diagnostics) must(!tmpl::render(d, loaded.sources).empty());
  must(loaded.result || tmpl::has_errors(loaded.diagnostics));
}

}  // namespace kiln::fuzz
