// What a template holds, as far as that can be said without building: for looking at it (inspect) and for trying
// expressions (console). Variables without a value, locals that fail and components that nobody knows are no hindrance.
#pragma once

#include "template/template.h"

namespace kiln::tmpl {

struct BuildOverview {
  std::string name, description;                 // may be empty
  std::vector<std::string> sources;              // "type.name"
  std::vector<std::string> provisioners;         // "type" or "type.name"
  std::optional<std::string> error_cleanup;      // the same
  std::vector<std::vector<std::string>> chains;  // post-processors, the same
};

struct PluginWish {
  std::string name, source, version;  // of required_plugins
};

struct Program;

struct Overview {
  std::vector<VariableInfo> variables, locals;  // sorted by name; a value may be unknown; sensitive ones are marked
  std::vector<BuildOverview> builds;
  std::vector<PluginWish> plugins;
  std::vector<std::string> source_types;  // of source blocks, sorted, each once
  Diagnostics diagnostics;                // with an error among them the rest is not complete
  Sources sources;

  /// The value of one expression that may use all the template defines. Problems are added to diagnostics, and their
  /// text to sources; then the answer is empty.
  std::optional<Value> evaluate(const std::string& text, Diagnostics& problems, Sources& texts) const;
  std::shared_ptr<const Program> program;
};

/// Reads and parses the files only: what is wrong with them. The answer has no template.
Loaded check_syntax(const LoadOptions& options, const World& world);

/// An empty options.path makes an overview of nothing, for a console without a template.
Overview look_at(const LoadOptions& options, const World& world);

}  // namespace kiln::tmpl
